// @ts-check
// One request of JSON to the server, and its refusal as an error that a person can read. No DOM.

import { detail } from "./problem.js";
import { sentence } from "./readout.js";
import { authorization } from "./signalling.js";

/** The server may ask a name server, wait for a camera's socket to close, or for its turn to compare a password. */
const ANSWER_MS = 15_000;

export class Refusal extends Error {
  /**
   * @param {string} message a sentence for a person
   * @param {number} [status] HTTP status; 0 when there was no answer
   * @param {number} [retryAfterS] seconds the server asked to wait
   */
  constructor(message, status = 0, retryAfterS = 0) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** Dispatches "refused" when an answer says that whoever asks is not, or no longer, somebody who may. */
export const doubts = new EventTarget();

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: object, token?: string, signal?: AbortSignal, waitMs?: number, ifMatch?: string }} [more] ifMatch: the
 *   tag of what is to be replaced
 * @returns {Promise<Response>} of a status that is no error's
 * @throws {Refusal} when the server refuses or does not answer
 */
export async function request(method, path, { body, token, signal, waitMs = ANSWER_MS, ifMatch } = {}) {
  const timeout = AbortSignal.timeout(waitMs);
  const response = await fetch(path, {
    method,
    cache: "no-store",
    headers: {
      ...authorization(token),
      ...(body ? { "Content-Type": "application/json" } : {}),
      ...(ifMatch ? { "If-Match": ifMatch } : {}),
    },
    body: body && JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  }).catch((error) => {
    throw signal?.aborted ? error : new Refusal("The server does not answer.");
  });
  if (response.ok) return response;
  if (response.status === 401 || response.status === 403) doubts.dispatchEvent(new Event("refused"));
  const said = (await detail(response)) || `the server answered ${response.status}`;
  throw new Refusal(sentence(said), response.status, Number(response.headers.get("Retry-After")) || 0);
}
