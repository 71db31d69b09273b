// @ts-check
// What WHEP and WHIP have in common: POST an offer, take the answer, DELETE the session, learn the ICE servers. No DOM.

import { refusal } from "./problem.js";

/** All candidates of ours are in the offer (no trickle), so gathering may take at most this long. */
const GATHERING_MS = 1000;
const ANSWER_MS = 8000;
/** A connection that is closed here waits so long for the server to hear of it first. */
const ENDING_MS = 1000;

/** @typedef {{ answer: string, location: string | null }} Answer */

export class SessionError extends Error {
  /**
   * @param {string} message a sentence for a person
   * @param {object} [more]
   * @param {number} [more.status] HTTP status; 0 when there was no answer
   * @param {number} [more.retryAfterS] seconds the server asked to wait
   */
  constructor(message, { status = 0, retryAfterS = 0 } = {}) {
    super(message);
    this.name = "SessionError";
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/**
 * @param {string} endpoint
 * @param {string} sdp
 * @param {string} [token]
 * @returns {Promise<Answer>}
 * @throws {SessionError} when the server refuses or does not answer
 */
export async function post(endpoint, sdp, token) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", ...authorization(token) },
    body: sdp,
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((error) => {
    throw new SessionError(
      error.name === "TimeoutError" ? "The server gave no WebRTC answer" : "The server is not reachable",
    );
  });
  if (response.status !== 201) {
    const retryAfterS = Number(response.headers.get("Retry-After")) || 0;
    throw new SessionError(await refusal(response), { status: response.status, retryAfterS });
  }
  const location = response.headers.get("Location");
  return { answer: await response.text(), location: location && new URL(location, response.url).href };
}

/**
 * Ends a session on the server. keepalive lets the request outlive the page; a session that cannot be deleted is
 * noticed by its silence.
 *
 * @param {string} location
 * @param {string} [token]
 * @returns {Promise<void>} settled when the server has answered, or after ENDING_MS
 */
export async function end(location, token) {
  const request = { method: "DELETE", keepalive: true, headers: authorization(token) };
  const answered = fetch(location, request).catch(() => {});
  await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ENDING_MS))]);
}

/** @type {Map<string, Promise<RTCIceServer[]>>} */
const known = new Map();

/**
 * The STUN and TURN servers the configuration names; asked for until the server has said it once.
 *
 * @param {string} endpoint
 * @param {string} [token]
 * @returns {Promise<RTCIceServer[]>} none where the server names none, refuses, or does not answer
 */
export function iceServers(endpoint, token) {
  const kind = endpoint.split("/", 2).join("/");
  const servers = known.get(kind) ?? fetchIceServers(endpoint, token);
  known.set(kind, servers);
  return servers.catch(() => {
    known.delete(kind); // a wrong token is put right, and a server comes back
    return [];
  });
}

/**
 * @param {string} endpoint
 * @param {string} [token]
 * @returns {Promise<RTCIceServer[]>}
 */
async function fetchIceServers(endpoint, token) {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch(endpoint, { method: "OPTIONS", headers: authorization(token), signal });
  if (!response.ok) throw new SessionError(`the server answered ${response.status}`, { status: response.status });
  return parseLinks(response.headers.get("Link") ?? "");
}

/**
 * ICE servers of a Link header (RFC 9725, section 4.6); several headers reach a script as one, with commas.
 *
 * @param {string} header
 * @returns {RTCIceServer[]}
 */
export function parseLinks(header) {
  const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
  return [...header.matchAll(/<([^>]*)>((?:[^,"]|"(?:[^"\\]|\\.)*")*)/g)].flatMap(([, urls = "", parameters = ""]) => {
    /** @param {string} name */
    const value = (name) => {
      const found = new RegExp(`;\\s*${name}=(?:${quoted}|([^;,\\s]+))`).exec(parameters);
      return found ? (found[1]?.replace(/\\(.)/g, "$1") ?? found[2]) : undefined;
    };
    if (value("rel") !== "ice-server") return [];
    return [{ urls, username: value("username"), credential: value("credential") }];
  });
}

/**
 * Resolves when all candidates are known or GATHERING_MS have passed.
 *
 * @param {RTCPeerConnection} pc
 * @param {AbortSignal} signal ends the listening
 */
export async function gathered(pc, signal) {
  if (pc.iceGatheringState === "complete") return;
  await new Promise((resolve) => {
    setTimeout(resolve, GATHERING_MS);
    const look = () => pc.iceGatheringState === "complete" && resolve(null);
    pc.addEventListener("icegatheringstatechange", look, { signal });
  });
}

/**
 * The header that shows a token (RFC 6750, section 2.1); none without one.
 *
 * @param {string} [token]
 * @returns {Record<string, string>}
 */
export function authorization(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}
