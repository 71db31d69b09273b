// @ts-check
// A doctor's report in words; the terminal has the same in streamer/doctor/printout.py. Pure.

import { sentence } from "./readout.js";

/** @typedef {{ kind: string, weight: "advice" | "note", sentence: string, advice: string | null }} Finding */
/** @typedef {{ media: string, codec: string | null, why_not: string | null }} Track */
/**
 * @typedef {object} Told what a camera told of itself by RTSP; null means unknown
 * @property {string | null} server
 * @property {string | null} login
 * @property {string | null} transport
 * @property {string | null} keepalive
 * @property {number | null} session_timeout seconds
 * @property {Track[]} tracks
 * @property {number} packets
 * @property {number | null} lost
 * @property {"normal" | "never" | "always" | null} markers
 * @property {string[] | null} parameter_sets
 */
/**
 * @typedef {object} Report the answer of POST /api/doctor, as far as it is shown; null means unknown
 * @property {string} verdict healthy, advice, or why it does not work
 * @property {boolean} works
 * @property {string | null} reason
 * @property {string | null} remedy
 * @property {string | null} realm
 * @property {Finding[]} findings advice first
 * @property {string | null} codec
 * @property {string | null} profile
 * @property {number | null} width
 * @property {number | null} height
 * @property {number | null} fps
 * @property {number | null} bits_per_second
 * @property {number | null} gop_seconds
 * @property {boolean} gop_is_at_least
 * @property {number | null} first_picture_seconds
 * @property {number | null} decode_ms
 * @property {number} watched_seconds
 * @property {Told | null} rtsp
 * @property {string} [still] a data: URL
 */

/** @type {Record<string, string>} */
const CODECS = { h264: "H.264", hevc: "H.265", mjpeg: "MJPEG" };
/** @type {Record<string, string>} */
const RTP_CODECS = { H264: "H.264", H265: "H.265", JPEG: "MJPEG", "MP4V-ES": "MPEG-4" };
const MARKERS = {
  normal: "the last of each picture is marked",
  never: "none is marked as a picture’s last",
  always: "each is marked as a picture’s last",
};
/** Tracks that are shown; the API has all. */
const TRACKS = 8;
const STILL = /^data:image\/jpeg;base64,/;

/**
 * The whole in a few words, and how it stands.
 *
 * @param {Report} report
 * @returns {{ title: string, state: "live" | "stale" | "offline" }}
 */
export function headline({ works, verdict, findings }) {
  if (!works) return { title: "Does not work", state: "offline" };
  const count = findings.filter(({ weight }) => weight === "advice").length;
  if (verdict === "healthy" || count === 0) return { title: "Works, and nothing is wrong with it", state: "live" };
  return { title: `Works; ${count === 1 ? "one thing" : `${count} things`} would be better`, state: "stale" };
}

/**
 * Why it does not work, and what to do about it.
 *
 * @param {Report} report
 * @returns {string} "" where it works
 */
export function cause({ reason, remedy }) {
  return [reason, remedy]
    .map((text) => sentence(text ?? ""))
    .filter(Boolean)
    .join(" ");
}

/**
 * @param {Report} report
 * @returns {[string, string | null][]} name and value; null when unknown
 */
export function measurements(report) {
  const { codec, profile, width, height, fps, bits_per_second, gop_seconds, first_picture_seconds, decode_ms } = report;
  if (!codec) return [];
  const apart = gop_seconds === null || codec === "mjpeg" ? null : `${gop_seconds.toFixed(1)} s`;
  return [
    ["Picture", width && height ? `${width}×${height}` : null],
    ["Codec", [CODECS[codec] ?? codec, profile].filter(Boolean).join(" ")],
    ["Frame rate", fps === null ? null : `${fps.toFixed(1)} fps`],
    ["Bit rate", bits_per_second === null ? null : `${(bits_per_second / 1e6).toFixed(2)} Mbit/s`],
    ["Keyframes", apart && (report.gop_is_at_least ? `${apart} apart or more` : `every ${apart}`)],
    ["First picture", first_picture_seconds === null ? null : `after ${first_picture_seconds.toFixed(1)} s`],
    ["Decoding", decode_ms === null ? null : `${decode_ms.toFixed(1)} ms a picture`],
    ["Watched for", `${report.watched_seconds.toFixed(1)} s`],
  ];
}

/**
 * What an RTSP camera told of itself, also where it does not work.
 *
 * @param {Report} report
 * @returns {[string, string | null][]} name and value; null when unknown
 */
export function told({ rtsp, realm }) {
  if (!rtsp) return [];
  const { login, transport, keepalive, session_timeout, tracks, packets, markers, parameter_sets } = rtsp;
  const asked = tracks.length > 0;
  const more = tracks.length > TRACKS ? [`and ${tracks.length - TRACKS} more`] : [];
  return [
    ["Server", rtsp.server],
    ["Log-in", login ? `${login}${realm ? ` for “${realm}”` : ""}` : asked ? "none asked for" : null],
    [
      "Session",
      transport && `over ${transport.toUpperCase()}, kept alive by ${keepalive}; lasts ${session_timeout} s without`,
    ],
    ["Tracks", asked ? [...tracks.slice(0, TRACKS).map(track), ...more].join("; ") : null],
    ["RTP packets", packets ? [lost(rtsp), ...(markers ? [MARKERS[markers]] : [])].join("; ") : null],
    ["Parameter sets", packets && parameter_sets ? parameter_sets.join(" and ") || "none" : null],
  ];
}

/** @param {Track} track */
function track({ media, codec, why_not }) {
  return `${media} ${codec ? (RTP_CODECS[codec] ?? codec) : "not named"}: ${why_not ?? "played"}`;
}

/** @param {Told} told */
function lost({ packets, lost: missing }) {
  if (missing === null) return `${packets}, numbered without sense`;
  return `${packets}, ${missing ? `${missing} lost (${((100 * missing) / packets).toPrecision(2)} %)` : "none lost"}`;
}

/**
 * @param {Report} report
 * @returns {string | null} the picture's URL; nothing but a JPEG that came with the answer
 */
export function still(report) {
  return report.still && STILL.test(report.still) ? report.still : null;
}
