// @ts-check
// Rules, alerts, silences and outlets in words. Pure.

import { lasted } from "./clock.js";
import { sentence } from "./readout.js";

/** @typedef {import("./alerts.js").Rule} Rule */
/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {import("./alerts.js").Silence} Silence */
/** @typedef {import("./alerts.js").Outlet} Outlet */
/** @typedef {import("./alerts.js").Tested} Tested */
/** @typedef {import("./alerts.js").Trial} Trial */

const EVERY = "*";

/** What a rule says: "Tells phone of insulator on gate that has been in yard for 10 s, from 22:00 to 06:00."
 * @param {Rule} rule
 */
export function ruleInWords(rule) {
  const { streams, labels, min_score, hours, outlets } = rule;
  const score = min_score > 0 ? ` scored ${Math.round(min_score * 1000) / 10} % or more` : "";
  const where = streams.includes(EVERY) ? "" : ` on ${either(streams)}`;
  const when = hours.length > 0 ? `, ${hours.map(spanInWords).join(" and ")}` : "";
  const who = outlets.length > 0 ? `Tells ${both(outlets)} of` : "Tells nobody, but notes";
  return `${who} ${labels.length > 0 ? either(labels) : "anything"}${score}${where}${deeds(rule)}${when}.`;
}

/** How often a rule may speak; "" where as often as it is met.
 * @param {Rule} rule
 */
export function cooldownInWords({ cooldown, rule_cooldown, tell_end }) {
  const same = cooldown > 0 ? `of the same thing once ${every(cooldown)} at most` : "";
  const all = rule_cooldown > 0 ? `of anything once ${every(rule_cooldown)} at most` : "";
  const often = [same, all].filter(Boolean).join(", ");
  return [often ? `${sentence(often)}` : "", tell_end ? "Tells of its end, too." : ""].filter(Boolean).join(" ");
}

/**
 * What the trial of a rule found: a headline, and what there is to know besides.
 *
 * @param {Trial} trial
 * @param {boolean} tells whether it has anybody to tell
 * @returns {[title: string, text: string]}
 */
export function trialInWords({ count, cooled, complete }, tells) {
  const times = (/** @type {number} */ number) => (number === 1 ? "once" : `${number} times`);
  const title = `${tells ? "Would have told you" : "Would have been noted"} ${count === 0 ? "not once" : times(count)}`;
  const whole = complete ? "Of the last 24 hours’ events." : "Of the newest events: those of 24 hours are too many.";
  const held = cooled > 0 ? `${sentence(`${times(cooled)} more the cool-down would have held it back`)}` : "";
  return [title, [whole, held].filter(Boolean).join(" ")];
}

/** What a silence is about: "gate", "rule night", "everything".
 * @param {Pick<Silence, "rule" | "stream">} about
 */
export function silenced({ rule, stream }) {
  if (rule === null) return stream ?? "everything";
  return stream === null ? `rule ${rule}` : `rule ${rule} on ${stream}`;
}

/** What came of an alert.
 * @param {Pick<Alert, "outcome" | "told">} alert
 */
export function outcomeInWords({ outcome, told }) {
  return {
    told: told.length > 0 ? `told ${both(told)}` : "told",
    silenced: "silenced",
    cooled: "held back: too soon after another",
    noted: "noted, nobody to tell",
  }[outcome];
}

/**
 * How an outlet fares.
 *
 * @param {Outlet} outlet
 * @param {number} now seconds since 1970
 */
export function outletInWords({ state, why, failing_since }, now) {
  const since = failing_since === null ? "" : ` for ${roughly(now - failing_since)}`;
  const because = why ? `: ${why}` : "";
  return sentence(
    {
      idle: "nothing told yet",
      ok: "working",
      gone: "the configuration has it no more; what it was to be told waits to be discarded",
      failing: `failing${since}${because}`,
      off: `off${because}`,
    }[state],
  );
}

/** What waits to be told, and what was given up.
 * @param {Outlet} outlet
 * @param {number} now seconds since 1970
 * @returns {[word: string, value: string][]}
 */
export function queueInWords({ sent, retried, waiting, oldest_at, dead, lost, last_sent_at }, now) {
  const oldest = waiting > 0 && oldest_at !== null ? `, the oldest for ${roughly(now - oldest_at)}` : "";
  const last = last_sent_at === null ? "" : `, the last ${roughly(now - last_sent_at)} ago`;
  return [
    ["Told", `${sent}${last}`],
    ["Tried again", String(retried)],
    ["Waiting", `${waiting}${oldest}`],
    ["Given up", String(dead)],
    ...(lost > 0 ? [/** @type {[string, string]} */ (["No room for", String(lost)])] : []),
  ];
}

/** What came of a test.
 * @param {Tested} tested
 */
export function testInWords({ outcome, detail }) {
  const because = detail ? `: ${detail}` : "";
  return sentence(outcome === "sent" ? "the test has arrived" : `the test failed${because}`);
}

/** A length of time as one says it: "10 s", "5 min", "an hour and a half" is "1 h 30 min".
 * @param {number} seconds
 */
export function long(seconds) {
  return lasted(seconds).replace(" 0 min", "");
}

/** A length of time without seconds that nobody counts.
 * @param {number} seconds
 */
function roughly(seconds) {
  return long(seconds < 120 ? seconds : Math.floor(seconds / 60) * 60);
}

/** What a thing must have done, as far as anything is asked.
 * @param {Rule} rule
 */
function deeds({ zones, lines, dwell }) {
  const stay = dwell > 0 ? ` for ${long(dwell)}` : "";
  const been = zones.length > 0 ? `has been in ${either(zones)}${stay}` : "";
  const crossed = lines.length > 0 ? `has crossed ${either(lines)}` : "";
  const seen = !been && !crossed && stay ? `has been in view${stay}` : "";
  const done = [been, crossed, seen].filter(Boolean).join(" or ");
  return done ? ` that ${done}` : "";
}

/** @param {string} span such as "22:00-06:00" */
function spanInWords(span) {
  const [from, until] = span.split("-");
  return `from ${from} to ${until}`;
}

/** @param {number} seconds */
function every(seconds) {
  return { 1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day" }[seconds] ?? `in ${long(seconds)}`;
}

/** @param {string[]} names */
function both(names) {
  return listed(names, "and");
}

/** @param {string[]} names */
function either(names) {
  return listed(names, "or");
}

/**
 * @param {string[]} names
 * @param {string} word before the last
 */
function listed(names, word) {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} ${word} ${names.at(-1)}`;
}
