// @ts-check
// Times of the server, which are seconds since 1970, as the viewer's clock and zone have them.

import { element } from "./details.js";

/** @type {Intl.DateTimeFormatOptions} */
const SHORT = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

/**
 * @param {number} at seconds since 1970
 * @param {boolean} [exactly] with its seconds
 */
export function moment(at, exactly = false) {
  const date = new Date(at * 1000);
  const node = /** @type {HTMLTimeElement} */ (element("time", ""));
  node.dateTime = date.toISOString();
  node.textContent = date.toLocaleString([], exactly ? { ...SHORT, second: "2-digit" } : SHORT);
  node.title = date.toLocaleString([], { dateStyle: "full", timeStyle: "long" });
  return node;
}

/**
 * The first second of a day here, and the first of the next.
 *
 * @param {string} day as a date field has it, "2026-11-29"
 * @returns {[from: number, to: number]} seconds since 1970
 */
export function bounds(day) {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return [dayBegins(year, month, date), dayBegins(year, month, date + 1)]; // not 24 hours where clocks are changed
}

/**
 * @param {number} year
 * @param {number} month from 1
 * @param {number} date
 */
function dayBegins(year, month, date) {
  return new Date(year, month - 1, date).getTime() / 1000;
}
