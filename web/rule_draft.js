// @ts-check
// A rule that somebody is writing: what it begins with, and what the server would not take of it. Pure.

import { NAME } from "./places.js";

/** @typedef {import("./alerts.js").Rule} Rule */
/** @typedef {import("./alerts_place.js").Place["about"]} AboutWhat */
/** @typedef {"name" | "min_score" | "dwell" | "hours" | "cooldown" | "rule_cooldown" | "streams"} Field */

/** What the server takes for granted: streamer/config/alerts.py.
 * @type {Readonly<Rule>}
 */
export const ANY = {
  streams: ["*"],
  labels: [],
  zones: [],
  lines: [],
  min_score: 0,
  dwell: 0,
  hours: [],
  cooldown: 60,
  rule_cooldown: 0,
  outlets: [],
  tell_end: false,
};
const SPAN = /^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/;
/** They stand beside the rules: streamer/http/alerts.py. */
const RESERVED = ["history", "try"];
const DAY_S = 86_400;
/** As the server has it: streamer/config/outlets.py. */
const BROKER = "mqtt";

/**
 * A new rule.
 *
 * @param {AboutWhat} about what it is to look at; empty: whatever there is
 * @param {string[]} outlets that there are: the only one is told, besides the broker, which is told of all events
 * @returns {Rule}
 */
export function begun({ streams, labels, zones, lines }, outlets) {
  const persons = outlets.filter((name) => name !== BROKER);
  const told = persons.length === 1 ? persons : outlets.length === 1 ? outlets : [];
  return { ...ANY, streams: streams.length > 0 ? streams : ANY.streams, labels, zones, lines, outlets: told };
}

/** A name that no rule has.
 * @param {Rule} rule
 * @param {string[]} taken
 */
export function proposed({ labels, zones, lines, streams }, taken) {
  const where = [...zones, ...lines, ...streams.filter((each) => each !== "*")][0];
  const words = [labels[0], where].flatMap((word) => word?.replaceAll(/[^A-Za-z0-9._-]+/g, "-") || []);
  const name = (words.join("-") || "rule").replace(/^[^A-Za-z0-9]+/, "").slice(0, 60) || "rule";
  if (!taken.includes(name) && !RESERVED.includes(name)) return name;
  let number = 2;
  while (taken.includes(`${name}-${number}`)) number++;
  return `${name}-${number}`;
}

/**
 * What the server would not take, each at its field.
 *
 * @param {string} name
 * @param {Rule} rule
 * @param {string[]} taken names of the other rules
 * @returns {Partial<Record<Field, string>>}
 */
export function amiss(name, rule, taken) {
  /** @type {ReturnType<typeof amiss>} */
  const found = {};
  if (name === "") found.name = "It needs a name.";
  else if (!NAME.test(name))
    found.name = "1 to 64 letters, digits, dots, dashes and underscores, first a letter or digit.";
  else if (RESERVED.includes(name)) found.name = "No rule can be called so.";
  else if (taken.includes(name)) found.name = "There is another rule of this name.";
  if (rule.streams.length === 0) found.streams = "Choose one stream at least, or all.";
  if (!(rule.min_score >= 0 && rule.min_score <= 1)) found.min_score = "0 to 100 %.";
  for (const key of /** @type {const} */ (["dwell", "cooldown", "rule_cooldown"]))
    if (!(rule[key] >= 0 && rule[key] <= DAY_S)) found[key] = "A day at most.";
  if (!rule.hours.every((span) => SPAN.test(span)))
    found.hours = "Each needs a beginning and an end, such as 22:00 and 06:00.";
  return found;
}

/**
 * @param {Rule} one
 * @param {Rule} other
 */
export function same(one, other) {
  return spelled(one) === spelled(other);
}

/** One text a rule, whatever the order of its names.
 * @param {Rule} rule
 */
export function spelled(rule) {
  const keys = /** @type {(keyof Rule)[]} */ (Object.keys(ANY));
  return JSON.stringify(
    keys.map((key) => {
      const value = rule[key];
      return Array.isArray(value) ? [...value].sort() : value;
    }),
  );
}

/**
 * The field that a sentence of the server is about.
 *
 * @param {string} sentence such as "alerts.night.hours.0: …"
 * @returns {Field | null}
 */
export function culprit(sentence) {
  const [where = ""] = sentence.split(":");
  const words = where.toLowerCase().split(".");
  const fields = /** @type {const} */ (["min_score", "dwell", "hours", "rule_cooldown", "cooldown", "streams", "name"]);
  return fields.find((field) => words.includes(field)) ?? null;
}
