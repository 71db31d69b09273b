// @ts-check
// A moment of what is recorded, as the address of the page has it. Pure.

/**
 * @typedef {object} RecordedPlace
 * @property {string} stream "" for whichever comes first
 * @property {string} beside a second stream, shown in step with it; "" for none
 * @property {number | null} at seconds since 1970; null for the newest
 * @property {boolean} playing whether it plays at once
 */

/** The place on the page; no stream is called so, for a name does not begin with a plus. */
const PLACE = "+recordings";

/** @param {string} place as the address names it */
export function isRecordings(place) {
  return place === PLACE || place.startsWith(`${PLACE}?`);
}

/**
 * @param {string} hash of the address, without its sign
 * @returns {RecordedPlace}
 */
export function readRecorded(hash) {
  const given = new URLSearchParams(hash.includes("?") ? hash.slice(hash.indexOf("?") + 1) : "");
  const at = Number.parseFloat(given.get("at") ?? "");
  const stream = given.get("stream") ?? "";
  const beside = given.get("beside") ?? "";
  return {
    stream,
    beside: beside === stream ? "" : beside,
    at: Number.isFinite(at) && at > 0 ? at : null,
    playing: given.get("play") === "1",
  };
}

/** @param {Partial<RecordedPlace>} place */
export function recordedAddress({ stream = "", beside = "", at = null, playing = false }) {
  const said = new URLSearchParams();
  if (stream) said.set("stream", stream);
  if (beside) said.set("beside", beside);
  if (at !== null) said.set("at", at.toFixed(3));
  if (playing) said.set("play", "1");
  return said.size > 0 ? `#${PLACE}?${said}` : `#${PLACE}`;
}
