// @ts-check
// What is told to whom, and the requests for it: /api/alerts, /api/silences and /api/outlets of docs/api.md. No DOM. All
// throw Refusal; 404: nothing is kept here, and so nobody is told.

import { request } from "./request.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/**
 * @typedef {object} Rule which events are told to whom; the section `alerts` of docs/sightline.yaml says what each means
 * @property {string[]} streams names and patterns
 * @property {string[]} labels empty: any class
 * @property {string[]} zones of which it must have been in one
 * @property {string[]} lines of which it must have crossed one
 * @property {number} min_score 0..1
 * @property {number} dwell seconds
 * @property {string[]} hours such as "22:00-06:00"; empty: all day
 * @property {number} cooldown seconds after an alert in which it says nothing more of the same thing
 * @property {number} rule_cooldown seconds after an alert in which it says nothing at all
 * @property {string[]} outlets empty: alerts are noted, and nobody is told
 * @property {boolean} tell_end
 */
/**
 * @typedef {object} KnownRule times in seconds since 1970
 * @property {string} name
 * @property {"file" | "here"} origin who made it: the configuration file, or somebody here
 * @property {boolean} hidden whether the file has one of this name, which is the one in force
 * @property {boolean} may_change
 * @property {Rule} rule
 * @property {string[]} unknown_outlets that it names, and that there are no more
 * @property {number | null} silenced_until
 * @property {number} alerts of the last day
 * @property {number} told of those
 * @property {number | null} last_told_at
 */
/** @typedef {{ rules: KnownRule[], outlets: string[], failing: string | null }} Rules failing: why nothing is noted for now */
/**
 * @typedef {object} Trial what a rule would have come to
 * @property {number} since seconds since 1970
 * @property {number} count times it would have told
 * @property {number} cooled times it would have been held back by its cool-downs
 * @property {boolean} complete whether all events since then were looked at
 * @property {{ at: number, event: KeptEvent }[]} alerts newest first, the first of them
 */
/** @typedef {"told" | "silenced" | "cooled" | "noted"} Outcome */
/**
 * @typedef {object} Alert
 * @property {string} id
 * @property {number} at seconds since 1970
 * @property {string} rule
 * @property {string} stream
 * @property {Outcome} outcome
 * @property {string[]} told outlets
 * @property {KeptEvent | null} event null: it is gone
 */
/** @typedef {{ rule: string, stream: string, outcome: string }} Wanted of the history; "": any */
/**
 * @typedef {object} Silence for a time nobody is told
 * @property {string} id
 * @property {number} until seconds since 1970
 * @property {string | null} rule null: whatever the rule
 * @property {string | null} stream null: whatever the stream
 * @property {string} by
 * @property {number} made_at
 * @property {boolean} may_end
 */
/**
 * @typedef {object} Outlet who can be told; counts are since the service began
 * @property {string} name
 * @property {"webhook" | "mqtt" | null} kind null: the configuration has it no more
 * @property {string | null} recipe
 * @property {string | null} host
 * @property {"idle" | "ok" | "failing" | "off" | "gone"} state
 * @property {number} sent
 * @property {number} retried
 * @property {number} waiting
 * @property {number | null} oldest_at of those that wait
 * @property {number} dead letters that were given up
 * @property {number} lost for which there was no room
 * @property {number | null} last_sent_at
 * @property {number | null} failing_since
 * @property {string | null} why
 */
/** @typedef {{ outcome: "sent" | "failed", detail: string | null }} Tested */
/**
 * @typedef {object} Letter that was given up
 * @property {string} id
 * @property {string} kind
 * @property {string | null} rule
 * @property {string} stream
 * @property {number} made_at
 * @property {number} attempts
 * @property {string} error
 * @property {KeptEvent | null} event
 */

const ALERTS = "api/alerts";
const SILENCES = "api/silences";
const OUTLETS = "api/outlets";
/** A rule is tried on a day's events, and a test waits for a receiver. */
const PATIENCE_MS = 30_000;
const PAGE = 50;

/** @returns {Promise<Rules>} */
export async function rules() {
  return (await request("GET", ALERTS)).json();
}

/**
 * @param {string} name
 * @param {Rule} rule
 * @returns {Promise<KnownRule>}
 */
export async function putRule(name, rule) {
  return (await request("PUT", ruleOf(name), { body: rule })).json();
}

/** @param {string} name */
export async function removeRule(name) {
  await request("DELETE", ruleOf(name));
}

/**
 * What a rule would have told of within the last day.
 *
 * @param {Rule} rule
 * @param {AbortSignal} signal
 * @returns {Promise<Trial>}
 */
export async function tryRule(rule, signal) {
  return (await request("POST", `${ALERTS}/try`, { body: rule, signal, waitMs: PATIENCE_MS })).json();
}

/**
 * @param {Wanted} wanted
 * @param {string | null} cursor where the page before ended
 * @returns {Promise<{ alerts: Alert[], cursor: string | null }>} newest first
 */
export async function history(wanted, cursor) {
  const given = Object.entries({ ...wanted, cursor }).flatMap(([key, value]) => (value ? [[key, value]] : []));
  return (await request("GET", `${ALERTS}/history?${new URLSearchParams([...given, ["limit", String(PAGE)]])}`)).json();
}

/** @returns {Promise<Silence[]>} those in force; none where nothing is kept */
export async function silences() {
  const { silences } = await (await request("GET", SILENCES)).json();
  return silences;
}

/**
 * @param {{ rule: string | null, stream: string | null, seconds: number }} silence
 * @returns {Promise<Silence>}
 */
export async function silence(silence) {
  return (await request("POST", SILENCES, { body: silence })).json();
}

/** @param {string} id */
export async function unsilence(id) {
  await request("DELETE", `${SILENCES}/${encodeURIComponent(id)}`);
}

/** @returns {Promise<Outlet[]>} */
export async function outlets() {
  const { outlets } = await (await request("GET", OUTLETS)).json();
  return outlets;
}

/**
 * @param {string} name
 * @returns {Promise<Tested>}
 */
export async function testOutlet(name) {
  return (await request("POST", `${outletOf(name)}/test`, { waitMs: PATIENCE_MS })).json();
}

/**
 * @param {string} name
 * @param {number | null} cursor
 * @returns {Promise<{ letters: Letter[], cursor: number | null }>} newest first
 */
export async function dead(name, cursor) {
  const given = new URLSearchParams([...(cursor ? [["cursor", String(cursor)]] : []), ["limit", String(PAGE)]]);
  return (await request("GET", `${outletOf(name)}/dead?${given}`)).json();
}

/**
 * @param {string} name
 * @param {string[] | null} ids null: all
 * @returns {Promise<number>} how many
 */
export async function resend(name, ids) {
  const { count } = await (await request("POST", `${outletOf(name)}/dead/resend`, { body: { ids } })).json();
  return count;
}

/**
 * @param {string} name
 * @param {string[] | null} ids null: all
 * @returns {Promise<number>} how many
 */
export async function discard(name, ids) {
  const query = ids ? `?${new URLSearchParams({ ids: ids.join(",") })}` : "";
  const { count } = await (await request("DELETE", `${outletOf(name)}/dead${query}`)).json();
  return count;
}

/** @param {string} name */
function ruleOf(name) {
  return `${ALERTS}/${encodeURIComponent(name)}`;
}

/** @param {string} name */
function outletOf(name) {
  return `${OUTLETS}/${encodeURIComponent(name)}`;
}
