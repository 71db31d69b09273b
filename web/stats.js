// @ts-check
// What the browser measured between two getStats() reports. Pure.
// Fields: W3C "Identifiers for WebRTC's Statistics API", RTCInboundRtpStreamStats and RTCIceCandidatePairStats.

/**
 * @typedef {object} Measurement
 * @property {number} framesDecoded since the session began
 * @property {number | null} fps decoded frames a second
 * @property {number | null} bitrate received, bits a second
 * @property {number | null} jitterBufferMs mean time a frame waited in the jitter buffer
 * @property {number | null} decodeMs mean time to decode a frame
 * @property {number | null} rttMs round trip to the server
 */

/**
 * @typedef {{ network: number, jitterBuffer: number, decode: number, total: number }} BrowserDelay milliseconds
 */

/** One statistics object; its `type` says which of the fields it may have.
 * @typedef {RTCStats & Partial<RTCInboundRtpStreamStats & RTCIceCandidatePairStats & RTCTransportStats>} Entry
 */

/** A report is a Map of id to statistics object; RTCStatsReport is one.
 * @typedef {{ forEach(visit: (entry: Entry) => void): void, get(id: string): Entry | undefined }} Report
 */

/** What grows while a session lasts.
 * @typedef {"framesDecoded" | "bytesReceived" | "jitterBufferDelay" | "jitterBufferEmittedCount" | "totalDecodeTime"} Counter
 */

/**
 * @param {Report | null} previous
 * @param {Report} current
 * @returns {Measurement | null} null while no video has been received
 */
export function measure(previous, current) {
  const now = inboundVideo(current);
  if (!now) return null;
  const before = previous && inboundVideo(previous);
  const rtt = selectedPair(current)?.currentRoundTripTime;
  /** @type {Measurement} */
  const result = {
    framesDecoded: now.framesDecoded ?? 0,
    fps: null,
    bitrate: null,
    jitterBufferMs: null,
    decodeMs: null,
    rttMs: typeof rtt === "number" ? rtt * 1000 : null,
  };
  // Counters restart with a new session: a difference over two sessions means nothing.
  if (!before || before.id !== now.id || before.ssrc !== now.ssrc) return result;
  const seconds = (now.timestamp - before.timestamp) / 1000;
  /** @param {Counter} field */
  const grown = (field) => (now[field] ?? 0) - (before[field] ?? 0);
  if (!(seconds > 0) || grown("framesDecoded") < 0) return result;
  result.fps = grown("framesDecoded") / seconds;
  result.bitrate = (grown("bytesReceived") * 8) / seconds;
  result.jitterBufferMs = meanMs(grown("jitterBufferDelay"), grown("jitterBufferEmittedCount"));
  result.decodeMs = meanMs(grown("totalDecodeTime"), grown("framesDecoded"));
  return result;
}

/**
 * The part of a picture's age that the server cannot see: half the round trip, jitter buffer, decoding.
 *
 * @param {Measurement | null} measurement
 * @returns {BrowserDelay | null} null when nothing was measured
 */
export function browserDelay(measurement) {
  if (!measurement || measurement.jitterBufferMs === null) return null;
  const network = (measurement.rttMs ?? 0) / 2;
  const decode = measurement.decodeMs ?? 0;
  const jitterBuffer = measurement.jitterBufferMs;
  return { network, jitterBuffer, decode, total: network + jitterBuffer + decode };
}

/**
 * @param {number} seconds
 * @param {number} count
 */
function meanMs(seconds, count) {
  return count > 0 ? (seconds / count) * 1000 : null;
}

/** @param {Report} report */
function inboundVideo(report) {
  return entries(report).findLast(({ type, kind }) => type === "inbound-rtp" && kind === "video");
}

/** @param {Report} report */
function selectedPair(report) {
  const all = entries(report);
  const transport = all.find(({ type, selectedCandidatePairId: id }) => type === "transport" && id);
  if (transport?.selectedCandidatePairId) return report.get(transport.selectedCandidatePairId);
  // Firefox has no transport statistics; it marks the pair instead.
  return all.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
}

/** @param {Report} report */
function entries(report) {
  /** @type {Entry[]} */
  const all = [];
  report.forEach((entry) => all.push(entry));
  return all;
}
