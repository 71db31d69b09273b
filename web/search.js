// @ts-check
// What is asked of the archive, as the address of the page has it and as the server is asked for it. Pure.

import { bounds } from "./clock.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/**
 * @typedef {object} Search all of it at once; "" where it does not matter
 * @property {string} stream
 * @property {string} label
 * @property {string} zone it has been in
 * @property {string} line it has crossed
 * @property {string} day here, as a date field has it
 * @property {string} score at least, 0..1
 * @property {string} reviewed "none", "any", "confirmed" or "false"
 * @property {string} bookmarked "true" or ""
 */

/** The place on the page; no stream is called so, for a name does not begin with a plus. */
const PLACE = "+events";
const EVENT = "event";
/** What each is called in the address, and but for the day by the server too.
 * @type {Record<keyof Search, string>}
 */
const WORDS = {
  stream: "stream",
  label: "class",
  zone: "zone",
  line: "line",
  day: "day",
  score: "min_score",
  reviewed: "reviewed",
  bookmarked: "bookmarked",
};
const KEYS = /** @type {(keyof Search)[]} */ (Object.keys(WORDS));

/** @type {Readonly<Search>} */
export const EVERYTHING = {
  stream: "",
  label: "",
  zone: "",
  line: "",
  day: "",
  score: "",
  reviewed: "",
  bookmarked: "",
};

/** @param {string} place as the address names it */
export function isEvents(place) {
  return place === PLACE || place.startsWith(`${PLACE}?`);
}

/**
 * @param {string} hash of the address, without its sign
 * @returns {{ search: Search, event: string }} the event that is shown large, or ""
 */
export function read(hash) {
  const given = new URLSearchParams(hash.includes("?") ? hash.slice(hash.indexOf("?") + 1) : "");
  const search = { ...EVERYTHING };
  for (const key of KEYS) search[key] = given.get(WORDS[key]) ?? "";
  return { search, event: given.get(EVENT) ?? "" };
}

/**
 * @param {Partial<Search>} search
 * @param {string} [event] to be shown large
 */
export function address(search, event = "") {
  const said = words(search);
  if (event) said.set(EVENT, event);
  return said.size > 0 ? `#${PLACE}?${said}` : `#${PLACE}`;
}

/**
 * What the server is asked.
 *
 * @param {Search} search
 * @param {string | null} cursor as the answer before had it
 * @param {number} limit
 */
export function query(search, cursor, limit) {
  const asked = words({ ...search, day: "" });
  if (search.day) bounds(search.day).forEach((at, end) => asked.set(end ? "to" : "from", String(at)));
  if (cursor) asked.set("cursor", cursor);
  asked.set("limit", String(limit));
  return asked;
}

/** How many things are asked for.
 * @param {Search} search
 */
export function asked(search) {
  return KEYS.filter((key) => search[key] !== "").length;
}

/**
 * Whether an event that was just told of would have been found.
 *
 * @param {Search} search
 * @param {KeptEvent} event
 */
export function fits({ stream, label, zone, line, day, score, reviewed, bookmarked }, event) {
  const [from, to] = day ? bounds(day) : [-Infinity, Infinity];
  const verdict = event.reviewed ?? "none";
  return (
    (!stream || stream.split(",").includes(event.stream)) &&
    (!label || label.split(",").includes(event.label)) &&
    (!zone || event.zones.includes(zone)) &&
    (!line || event.marks.some(({ kind, where }) => kind === "cross" && where === line)) &&
    from <= event.began_at &&
    event.began_at < to &&
    event.score >= Number(score) &&
    (!reviewed || reviewed === verdict || (reviewed === "any" && verdict !== "none")) &&
    (!bookmarked || event.bookmarked)
  );
}

/** @param {Partial<Search>} search */
function words(search) {
  const said = new URLSearchParams();
  for (const key of KEYS) if (search[key]) said.set(WORDS[key], search[key]);
  return said;
}
