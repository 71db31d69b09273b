// @ts-check
// An event in words. Pure.

import { briefly, lasted } from "./clock.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {import("./archive.js").Mark} Mark */

/** An event for who hears it.
 * @param {KeptEvent} event
 */
export function said({ label, stream, began_at, score, reviewed, bookmarked }) {
  const judged = reviewed === "false" ? "false alarm" : reviewed;
  const parts = [label, stream, briefly(began_at), `${Math.round(score * 100)} %`, judged];
  return [...parts, bookmarked ? "bookmarked" : null].filter(Boolean).join(", ");
}

/** How long it was seen.
 * @param {KeptEvent} event
 */
export function howLong({ began_at, last_at, ended_at }) {
  return ended_at === null ? "still in view" : lasted(last_at - began_at);
}

/** What a thing did at a place, in words.
 * @param {Mark} mark
 */
export function deed({ kind, where, direction }) {
  if (kind === "cross") return `crossed ${where} ${direction === "backward" ? "backward" : "forward"}`;
  return { enter: `entered ${where}`, leave: `left ${where}`, dwell: `stayed in ${where}` }[kind];
}
