// @ts-check
// What the server has kept of what was seen, and the requests for it: /api/events of docs/api.md. No DOM.

import { request } from "./request.js";
import { query } from "./search.js";

/** @typedef {import("./search.js").Search} Search */
/**
 * @typedef {object} Mark what a thing did at a zone or a line
 * @property {"enter" | "leave" | "dwell" | "cross"} kind
 * @property {string} where
 * @property {number} at seconds since 1970
 * @property {"forward" | "backward" | null} [direction] of a crossing
 */
/**
 * @typedef {object} KeptEvent a thing of one class in one stream; times in seconds since 1970
 * @property {string} id sorted by it, events are in the order they began
 * @property {string} stream
 * @property {string} label
 * @property {number} class_id
 * @property {number} tracker_id
 * @property {string} model
 * @property {number} version
 * @property {number} began_at
 * @property {number} last_at seen last
 * @property {number | null} ended_at null while it goes on
 * @property {number} score the best
 * @property {[number, number, number, number]} box x_min, y_min, x_max, y_max at its best, pixels
 * @property {number} width of that picture
 * @property {number} height
 * @property {string[]} zones
 * @property {Mark[]} marks
 * @property {boolean} has_picture
 * @property {"confirmed" | "false" | null} reviewed
 * @property {string} note
 * @property {boolean} bookmarked
 * @property {string | null} reviewed_by
 * @property {number | null} reviewed_at
 * @property {number} changed rises with each change of any event
 */
/**
 * @typedef {object} Facets names that events have, each once and in order
 * @property {string[]} streams
 * @property {string[]} classes
 * @property {string[]} zones
 * @property {string[]} lines
 */
/** @typedef {{ reviewed?: "confirmed" | "false" | null, note?: string, bookmarked?: boolean }} Said */

const EVENTS = "api/events";
/** A database that is busy may take its time. */
const ANSWER_MS = 20_000;

/**
 * The newest that fit, newest first.
 *
 * @param {Search} search
 * @param {string | null} cursor of the answer before; null for the first
 * @param {number} limit
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ events: KeptEvent[], cursor: string | null, failing: string | null,
 *   storage_failing: string | null }>} cursor is null where there are no more; failing is why nothing can be kept for
 *   now, a clause, and storage_failing why nothing can be brought to object storage
 * @throws {import("./request.js").Refusal} as all of these do; 404: nothing is kept here, 503: the archive is away
 */
export async function page(search, cursor, limit, signal) {
  const path = `${EVENTS}?${query(search, cursor, limit)}`;
  return (await request("GET", path, { signal, waitMs: ANSWER_MS })).json();
}

/**
 * What there is to look for.
 *
 * @param {string} stream whose events; "" for all
 * @returns {Promise<Facets>}
 */
export async function facets(stream) {
  return (await request("GET", `${EVENTS}/facets${stream ? `?${new URLSearchParams({ stream })}` : ""}`)).json();
}

/**
 * @param {string} id
 * @returns {Promise<KeptEvent>}
 */
export async function one(id) {
  return (await request("GET", of(id))).json();
}

/**
 * @param {string} id
 * @param {Said} said what is left out stays as it is
 * @returns {Promise<KeptEvent>} as it is now
 */
export async function review(id, said) {
  return (await request("PATCH", of(id), { body: said })).json();
}

/** @param {string} id */
export async function remove(id) {
  await request("DELETE", of(id));
}

/**
 * Where its picture is.
 *
 * @param {KeptEvent} event
 * @param {"picture" | "thumbnail"} size
 */
export function pictureOf({ id }, size) {
  return `${of(id)}/${size}`;
}

/** @param {string} id */
function of(id) {
  return `${EVENTS}/${encodeURIComponent(id)}`;
}
