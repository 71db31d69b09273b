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

/**
 * A day as a date field has it.
 *
 * @param {number} [at] seconds since 1970; now where it is left out
 */
export function dayOf(at = Date.now() / 1000) {
  const date = new Date(at * 1000);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/**
 * @param {string} day as a date field has it
 * @param {number} days
 */
export function daysLater(day, days) {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return dayOf(dayBegins(year, month, date + days));
}

/** @param {string} day as a date field has it */
export function dayInWords(day) {
  return new Date(bounds(day)[0] * 1000).toLocaleDateString([], {
    weekday: "short",
    year: "numeric",
    month: "short",
    day: "numeric",
  });
}

/**
 * A time of day, with its day where that is not this one.
 *
 * @param {number} at seconds since 1970
 */
export function briefly(at) {
  const date = new Date(at * 1000);
  const time = date.toLocaleTimeString([], { hourCycle: "h23" });
  if (dayOf(at) === dayOf()) return time;
  return `${date.toLocaleDateString([], { month: "short", day: "numeric" })}, ${time}`;
}

/**
 * How long something took.
 *
 * @param {number} seconds
 */
export function lasted(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return whole % 60 > 0 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  return `${whole} s`;
}
