// @ts-check
// What stands in the place of a picture that is not there, or not live. Pure.

import { clock } from "./details.js";
import { sentence } from "./readout.js";

/** @typedef {import("./feed.js").Stream} Stream */
/**
 * @typedef {object} Cover
 * @property {string} title "" where nothing stands in the picture's place
 * @property {string} text a sentence
 * @property {string} word why the camera is away; "" where it is not
 */

/**
 * @param {object} known
 * @param {string} known.state as the page shows it
 * @param {Stream | null} known.stream
 * @param {boolean} known.silent no video is coming
 * @param {boolean} known.painted there is a last picture
 * @param {string | null} known.failure why no video comes
 * @param {number | null} known.lastPictureAt wall clock, ms
 * @returns {Cover}
 */
export function cover({ state, stream, silent, painted, failure, lastPictureAt }) {
  const reason = sentence(stream?.reason ?? "");
  const last = lastPictureAt ? `Last picture at ${clock(lastPictureAt)}.` : "";
  const of = (title = "", text = "", word = "") => ({ title, text, word });
  if (state === "offline") return of("Offline", [reason, last].filter(Boolean).join(" "), stream?.error ?? "");
  if (state === "paused") return of("Paused", "The camera is not connected.");
  if (state === "moving") return of("Moving", [reason, last].filter(Boolean).join(" "));
  if (state === "connecting") return of("Connecting to the camera", reason === "Connecting." ? "" : reason);
  if (silent && state === "unknown") return of("The server does not answer");
  if (silent && failure !== null) return of("The video does not come", sentence(failure));
  if (silent && !painted) return of("Loading the video");
  return of();
}
