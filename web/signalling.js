// @ts-check
// What WHEP and WHIP have in common: POST an offer, take the answer and the ICE servers, PATCH candidates, DELETE. No DOM.

import { refusal } from "./problem.js";

/** Candidates of ours are sent once, so gathering may take at most this long; the server finds out about later ones. */
const GATHERING_MS = 1000;
const ANSWER_MS = 8000;
/** A connection that is closed here waits so long for the server to hear of it first. */
const ENDING_MS = 1000;

/**
 * @typedef {object} Answer
 * @property {string} answer
 * @property {string | null} location
 * @property {string} etag
 * @property {RTCIceServer[]} servers the STUN and TURN servers that the configuration names, those with a login too
 */

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
  return {
    answer: await response.text(),
    location: location && sessionUrl(location, response.url),
    etag: response.headers.get("ETag") ?? "*",
    servers: parseLinks(response.headers.get("Link") ?? ""),
  };
}

/**
 * Tells the server where we are. It would find out by our checks, unless a firewall of its own keeps those out until it
 * has sent one itself.
 *
 * @param {string} location
 * @param {string} etag
 * @param {string} sdp ours, with candidates
 * @param {string} [token]
 */
export function trickle(location, etag, sdp, token) {
  const lines = fragment(sdp);
  if (!lines) return;
  const headers = { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": etag, ...authorization(token) };
  fetch(location, { method: "PATCH", headers, body: lines }).catch(() => {}); // it was worth a try
}

/**
 * The trickle-ICE fragment (RFC 8840) of a description: its candidates, but for names that mean something here alone.
 *
 * @param {string} sdp
 * @returns {string} empty where there are none
 */
export function fragment(sdp) {
  const lines = sdp.split("\r\n").filter((line) => /^(m=|a=(ice-ufrag|mid|candidate):)/.test(line));
  const told = lines.filter((line) => !/^a=candidate:.*\.local /.test(line));
  return told.some((line) => line.startsWith("a=candidate:")) ? told.join("\r\n") + "\r\n" : "";
}

/**
 * Where a session is. A proxy that takes a folder away from what it asks the server does not give it back in Location;
 * but a session is below its endpoint, and of that the whole is known.
 *
 * @param {string} location as the server says
 * @param {string} endpoint as it was asked
 */
export function sessionUrl(location, endpoint) {
  const [session, asked] = [new URL(location, endpoint), new URL(endpoint)];
  const above = session.pathname.slice(0, session.pathname.lastIndexOf("/"));
  if (session.origin === asked.origin && asked.pathname.endsWith(above))
    session.pathname = asked.pathname + session.pathname.slice(above.length);
  return session.href;
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
