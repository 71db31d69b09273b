// @ts-check
// What is recorded of streams, and the requests for it: /api/streams/NAME/recordings of docs/api.md. No DOM.

import { request } from "./request.js";

/**
 * @typedef {[offset: number, size: number, timeMs: number, durationMs: number, key: 0 | 1]} Fragment of a segment's
 *   file: bytes, and when its first picture is shown, in milliseconds from the segment's first; key: it begins with one
 *   that needs none before it
 */
/**
 * @typedef {object} Segment one file; times in seconds since 1970
 * @property {string} id
 * @property {number} began_at
 * @property {number | null} ended_at null while it is being written
 * @property {string} codec
 * @property {string} mime as MediaSource.isTypeSupported() takes it
 * @property {number} width pixels
 * @property {number} height
 * @property {number} size bytes
 * @property {boolean} follows it goes on where the one before ended
 * @property {boolean} has_event
 * @property {Fragment[] | null} fragments
 */
/** @typedef {{ from: number, to: number, has_event: boolean }} Span recorded without a gap */
/** @typedef {{ from: number, to: number, spans: Span[], segments: Segment[], more: number | null }} Index */
/**
 * @typedef {object} Columns the boxes of one segment, each sample's after the other's
 * @property {number} width of the picture that the edges are in, pixels
 * @property {number} height
 * @property {{ label: string, class_id: number }[]} classes
 * @property {number[]} times_us when each sample is shown, rising: microseconds from the segment's first picture
 * @property {number[]} counts boxes of each sample
 * @property {number[]} class_index into classes, one a box
 * @property {number[]} scores 0..1
 * @property {number[]} boxes x_min, y_min, x_max, y_max, four a box
 * @property {number[]} tracker_ids 0 for what nobody follows
 */
/** @typedef {{ day: string, seconds: number, bytes: number, events: number }} RecordedDay */
/**
 * @typedef {object} Render a clip that is made with its boxes drawn in
 * @property {string} id
 * @property {"waiting" | "running" | "done" | "failed" | "cancelled"} state
 * @property {number} progress 0..1
 * @property {string | null} reason why it failed, a sentence
 * @property {number | null} size bytes, once it is done
 */

/** A day of a database that is busy may take its time. */
const ANSWER_MS = 20_000;

/**
 * What is recorded in a span of time.
 *
 * @param {string} stream
 * @param {number} from seconds since 1970
 * @param {number} to
 * @param {"spans" | "fragments"} detail
 * @param {AbortSignal} [signal]
 * @returns {Promise<Index>}
 * @throws {import("./request.js").Refusal} as all of these do; 404: nothing is kept here, 503: the archive is away
 */
export async function index(stream, from, to, detail, signal) {
  const path = `${of(stream)}?${new URLSearchParams({ from: String(from), to: String(to), detail })}`;
  return (await request("GET", path, { signal, waitMs: ANSWER_MS })).json();
}

/**
 * The days that have recordings, as this place's calendar has them.
 *
 * @param {string} stream
 * @param {number} from seconds since 1970
 * @param {number} to
 * @returns {Promise<RecordedDay[]>}
 */
export async function days(stream, from, to) {
  const offset = -60 * new Date(from * 1000).getTimezoneOffset();
  const asked = new URLSearchParams({ from: String(from), to: String(to), offset: String(offset) });
  return (await (await request("GET", `${of(stream)}/days?${asked}`, { waitMs: ANSWER_MS })).json()).days;
}

/**
 * @param {string} stream
 * @param {string} segment
 * @param {AbortSignal} [signal]
 * @returns {Promise<Columns>}
 */
export async function boxesOf(stream, segment, signal) {
  return (await request("GET", `${of(stream)}/${segment}/boxes`, { signal, waitMs: ANSWER_MS })).json();
}

/**
 * Where a segment's file is.
 *
 * @param {string} stream
 * @param {string} segment
 */
export function fileOf(stream, segment) {
  return `${of(stream)}/${segment}.mp4`;
}

/**
 * Where what stands before its fragments is.
 *
 * @param {string} stream
 * @param {string} segment
 */
export function initOf(stream, segment) {
  return `${of(stream)}/${segment}/init.mp4`;
}

/**
 * Where a small picture of a moment is.
 *
 * @param {string} stream
 * @param {number} at seconds since 1970
 */
export function thumbnailOf(stream, at) {
  return `${of(stream)}/thumbnail.jpg?at=${at}&width=320`;
}

/**
 * Where a span is as a file of its own, or its boxes.
 *
 * @param {string} stream
 * @param {number} from seconds since 1970
 * @param {number} to
 * @param {"mp4" | "vtt" | "json"} kind
 */
export function clipOf(stream, from, to, kind) {
  const asked = new URLSearchParams({ from: String(from), to: String(to), download: "1" });
  return `${of(stream)}/clip.${kind}?${asked}`;
}

/**
 * Has a clip made with its boxes drawn in.
 *
 * @param {string} stream
 * @param {{ from: number, to: number, labels?: string[], min_score?: number }} what
 * @returns {Promise<Render>}
 */
export async function render(stream, what) {
  return (await request("POST", `${of(stream)}/renders`, { body: what })).json();
}

/**
 * How far it is.
 *
 * @param {string} stream
 * @param {string} id
 * @returns {Promise<Render>}
 */
export async function rendering(stream, id) {
  return (await request("GET", `${of(stream)}/renders/${id}`)).json();
}

/**
 * Ends it, and lets go of what it made.
 *
 * @param {string} stream
 * @param {string} id
 */
export async function dropRender(stream, id) {
  await request("DELETE", `${of(stream)}/renders/${id}`);
}

/**
 * Where what it made is.
 *
 * @param {string} stream
 * @param {string} id
 */
export function renderOf(stream, id) {
  return `${of(stream)}/renders/${id}/video.mp4?download=1`;
}

/** @param {string} stream */
function of(stream) {
  return `api/streams/${encodeURIComponent(stream)}/recordings`;
}
