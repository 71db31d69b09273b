// @ts-check
// One picture to the server, and what the model found in it: POST /api/detect of docs/detect.md. No DOM.

import { Refusal, doubts } from "./request.js";
import { sentence } from "./readout.js";

/** @typedef {{ label: string, class_id: number, score: number, box: [number, number, number, number] }} Detection */
/**
 * @typedef {object} Looked
 * @property {number} width pixels, upright
 * @property {number} height
 * @property {number} orientation by which the server turned it upright
 * @property {Detection[]} detections boxes in pixels of the upright picture
 */
/** @typedef {{ model: string, version: number, min_score: number, pictures: Looked[] }} Answer min_score: the model's own */

/** More than the server waits for a body, for a place, and for cameras to leave room. */
const ANSWER_MS = 90_000;

/**
 * By XMLHttpRequest, for fetch does not say how much has been sent.
 *
 * @param {Blob} picture
 * @param {string} kind its media type
 * @param {{ model: string, min_score: number }} question model: "" for the service's own
 * @param {{ signal: AbortSignal, onsent: (share: number) => void }} more onsent: told of how much has been sent, 0 to 1
 * @returns {Promise<Answer>}
 * @throws {Refusal} when the server refuses or does not answer
 */
export function detect(picture, kind, { model, min_score }, { signal, onsent }) {
  const query = new URLSearchParams({ min_score: String(min_score), ...(model ? { model } : {}) });
  const request = new XMLHttpRequest();
  const answered = new Promise((resolve, reject) => {
    const unanswered = () => reject(new Refusal("The server does not answer."));
    request.upload.addEventListener("progress", ({ loaded, total }) => onsent(total > 0 ? loaded / total : 0));
    request.upload.addEventListener("load", () => onsent(1));
    request.addEventListener("load", () => resolve(undefined));
    request.addEventListener("error", unanswered);
    request.addEventListener("timeout", unanswered);
    request.addEventListener("abort", () => reject(signal.reason));
  });
  signal.addEventListener("abort", () => request.abort(), { once: true });
  request.open("POST", `api/detect?${query}`);
  request.timeout = ANSWER_MS;
  request.setRequestHeader("Content-Type", kind);
  request.setRequestHeader("Accept", "application/json");
  request.send(picture);
  return answered.then(() => read(request));
}

/**
 * @param {XMLHttpRequest} request that was answered
 * @returns {Answer}
 */
function read(request) {
  if (request.status === 200) return JSON.parse(request.responseText);
  if (request.status === 401 || request.status === 403) doubts.dispatchEvent(new Event("refused"));
  const said = detail(request.responseText) || `the server answered ${request.status}`;
  throw new Refusal(sentence(said), request.status, Number(request.getResponseHeader("Retry-After")) || 0);
}

/** @param {string} text a problem's (RFC 9457) */
function detail(text) {
  try {
    return String(JSON.parse(text).detail ?? "");
  } catch {
    return "";
  }
}
