// @ts-check
// The figures of one stream in words, from what the server said and what the browser measured. Pure.

import { inWords, stages } from "./latency.js";
import { browserDelay } from "./stats.js";

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./stats.js").Measurement} Measurement */
/** @typedef {import("./player.js").Transport} Transport */
/** @typedef {import("./latency.js").DelayPart} DelayPart */
/** @typedef {{ value: string | null, unit: string, title: string }} Metric value is null when unknown */
/**
 * @typedef {object} Knowledge
 * @property {Stream | null} stream
 * @property {Measurement | null} measurement
 * @property {Transport} transport
 * @property {string | null} fallbackReason
 * @property {number | null} fps shown on the page
 * @property {number | string | null} version of the model
 * @property {Own | null} [own] of the camera's own video, where that is what is shown
 */
/** @typedef {{ hold: number, takes: number, size?: "large" | "small" }} Own hold: ms for its boxes, of those that pass from coming here to being painted; size: which of the camera's videos it is */

export const STATES = {
  connecting: "Connecting",
  live: "Live",
  stale: "Stale",
  offline: "Offline",
  paused: "Paused",
  moving: "Moving",
  unknown: "No server",
};
const TRANSPORTS = {
  none: null,
  webcodecs: "WebCodecs",
  mse: "MSE",
  webrtc: "WebRTC",
  mjpeg: "MJPEG",
  stills: "Stills",
};
const OWN_AGE_NOTE =
  "Age of the picture: from coming here as the camera sent it to being painted with its boxes. " +
  "Not in it: the camera's own delay, its way to the server and from there, and the screen.";
const AGE_NOTE =
  "Age of the picture: from the frame's arrival at the server, or from the camera where that tells its own delay, to " +
  "its being painted here with boxes drawn. Not in it: the way from the camera to the server, and the screen.";

/** @param {number} ms */
export function duration(ms) {
  if (ms < 9950) return ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/**
 * A reason of the server as a sentence of the page.
 *
 * @param {string} text
 */
export function sentence(text) {
  if (text === "") return "";
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

/**
 * The known parts of the picture's age, in the order of the way: as the server's ledger has them, as far as that goes; what
 * it does not know of viewers is what this browser measured.
 *
 * @param {Knowledge} known
 * @returns {DelayPart[]} empty when there is no picture to have an age
 */
export function delayParts({ stream, measurement, transport, own = null }) {
  if (transport === "none") return [];
  if (own) return ownParts(own);
  const parts = stages(stream?.latency);
  if (parts.some(({ kind }) => kind === "paint")) return parts;
  const server = parts.some(({ kind }) => kind === "encode") ? parts : serverPart(stream);
  const browser = server.length ? browserDelay(measurement) : null;
  if (!browser) return server;
  return [
    ...server,
    { name: "Network, half the round trip", word: "network", ms: browser.network, kind: "network" },
    { name: "Jitter buffer", word: "buffer", ms: browser.jitterBuffer, kind: "buffer" },
    { name: "Decoding here", word: "decode", ms: browser.decode, kind: "paint" },
  ];
}

/**
 * All of the server's in one, where it has no ledger.
 *
 * @param {Stream | null} stream
 * @returns {DelayPart[]}
 */
function serverPart(stream) {
  const picture = stream?.picture_age_ms;
  const ms = typeof picture === "number" ? picture : stream?.age_ms;
  if (typeof ms !== "number") return [];
  const name = typeof picture === "number" ? "Server: detect, draw, encode" : "Server: detect";
  return [{ name, word: "server", ms, kind: "server" }];
}

/**
 * Of the camera's own pictures, from their coming here.
 *
 * @param {Own} own
 * @returns {DelayPart[]}
 */
function ownParts({ hold, takes }) {
  const held = Math.min(hold, takes);
  const paint = { name: "Decoding and painting", word: "paint", ms: takes - held, kind: "paint" };
  return held > 0 ? [{ name: "Held for its boxes", word: "hold", ms: held, kind: "hold" }, paint] : [paint];
}

/**
 * @param {DelayPart[]} parts
 * @returns {string | null}
 */
export function totalDelay(parts) {
  return parts.length ? duration(parts.reduce((sum, { ms }) => sum + ms, 0)) : null;
}

/**
 * What the delay is of, and what is not in it.
 *
 * @param {Knowledge} known
 */
export function ageNote({ own = null }) {
  return own ? OWN_AGE_NOTE : AGE_NOTE;
}

/**
 * The line under the picture.
 *
 * @param {Knowledge} known
 * @returns {Record<"detections" | "age" | "fps" | "size" | "transport", Metric>}
 */
export function metrics(known) {
  const { stream, fps, transport, fallbackReason } = known;
  const parts = delayParts(known);
  const [age = null, ageUnit = "ms"] = totalDelay(parts)?.split(" ") ?? [];
  const rate = decimals(stream?.detections_per_second, 1);
  return {
    detections: { value: rate, unit: "det/s", title: "Frames a second that the model answered" },
    age: {
      value: age,
      unit: ageUnit,
      title: [inWords(parts), ageNote(known)].filter(Boolean).join("\n"),
    },
    fps: { value: decimals(fps, 0), unit: "fps", title: "Frames a second shown on this page" },
    size: { value: size(stream), unit: "", title: "Width and height of the picture" },
    transport: {
      value: TRANSPORTS[transport],
      unit: "",
      title: fallbackReason ? `Not a better way: ${sentence(fallbackReason)}` : "How the video comes here",
    },
  };
}

/**
 * That a stream's model has not the time for all it asks; empty where it has.
 *
 * @param {import("./feed.js").Stream | null | undefined} stream
 */
export function shortfall(stream) {
  const asked = stream?.sample_fps;
  const gets = stream?.effective_sample_fps;
  if (typeof asked !== "number" || typeof gets !== "number") return "";
  return `asked ${Number(asked.toFixed(1))}/s, gets ${Number(gets.toFixed(1))}/s`;
}

/**
 * Why a small tile has the camera's large video though there is a smaller one; empty where it has not.
 *
 * @param {Stream | null} stream
 * @param {Own | null} own
 */
export function whyLarge(stream, own) {
  const { state, reason = null } = stream?.sub ?? {};
  if (own?.size !== "large" || state !== "opening" || !reason) return "";
  return sentence(`Large video, not the small one: ${reason}`);
}

/**
 * The table of the large view.
 *
 * @param {Knowledge} known
 * @returns {[string, string | null][]} name and value; null when unknown
 */
export function facts({ stream, measurement, transport, fallbackReason, fps, version }) {
  const bitrate = decimals(measurement?.bitrate && measurement.bitrate / 1e6, 1);
  const model = stream?.model ?? null;
  return [
    ["Shown here", suffixed(decimals(fps, 1), "fps")],
    ["From the camera", suffixed(decimals(stream?.fps, 1), "fps")],
    ["Detections", suffixed(decimals(stream?.detections_per_second, 1), `a second${inTiles(stream)}`)],
    ["Age of the last answer", typeof stream?.age_ms === "number" ? duration(stream.age_ms) : null],
    ["Picture", size(stream)],
    ["Transport", bitrate ? `${TRANSPORTS[transport]}, ${bitrate} Mbit/s` : TRANSPORTS[transport]],
    ["Why this way", fallbackReason ? sentence(fallbackReason) : null],
    ["Model", model && version ? `${model} v${version}` : model],
    ["Replica", stream?.replica ?? null],
    ["Viewers", typeof stream?.viewers === "number" ? String(stream.viewers) : null],
  ];
}

/**
 * What a sample costs, where that is more than a picture.
 *
 * @param {Stream | null} stream
 */
function inTiles(stream) {
  const pictures = stream?.pictures_per_sample ?? 1;
  return pictures > 1 ? `, of ${pictures} pictures each` : "";
}

/** @param {Stream | null} stream */
function size(stream) {
  return stream?.width && stream.height ? `${stream.width}×${stream.height}` : null;
}

/**
 * @param {number | null | undefined} value
 * @param {number} digits
 */
function decimals(value, digits) {
  return typeof value === "number" ? value.toFixed(digits) : null;
}

/**
 * @param {string | null} value
 * @param {string} unit
 */
function suffixed(value, unit) {
  return value === null ? null : `${value} ${unit}`;
}
