// @ts-check
// What the server says: the list of streams once a second, and the detections of all streams in one connection. No DOM.

/** @typedef {import("./sightings.js").Detection} Detection */
/**
 * @typedef {object} Stream one entry of GET /api/streams; null means unknown
 * @property {string} name
 * @property {"connecting" | "live" | "stale" | "offline" | "paused"} state
 * @property {string | null} [reason] a sentence
 * @property {string | null} [error] the same as a word, where a camera is away; docs/cameras.md lists them
 * @property {number | null} [width] pixels
 * @property {number | null} [height] pixels
 * @property {number | null} [fps] frames a second from the camera
 * @property {number | null} [detections_per_second] frames a second that the model answered
 * @property {number | null} [age_ms] from a sampled frame's arrival to its answer
 * @property {number | null} [picture_age_ms] from a frame's arrival to leaving the server annotated
 * @property {string | null} [model]
 * @property {number | null} [viewers]
 */
/**
 * @typedef {object} DetectionEvent one sampled frame
 * @property {string} stream
 * @property {number} age_ms
 * @property {string} model
 * @property {number | string} version
 * @property {Detection[]} detections
 */

const POLL_MS = 1000;
const RETRY_MS = [1000, 1000, 2000, 4000];
const ANSWER_MS = 4000;

export class Feed {
  /** @type {EventSource | null} */
  #events = null;
  #timer = 0;
  #failures = 0;
  #running = false;

  /**
   * @param {object} listeners
   * @param {(streams: Stream[]) => void} listeners.onstreams
   * @param {(event: DetectionEvent) => void} listeners.ondetections
   * @param {(retryMs: number) => void} listeners.onlost after each failed poll
   */
  constructor({ onstreams, ondetections, onlost }) {
    this.onstreams = onstreams;
    this.ondetections = ondetections;
    this.onlost = onlost;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#poll();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#events?.close();
    this.#events = null;
  }

  async #poll() {
    let pause = POLL_MS;
    try {
      const response = await fetch("/api/streams", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      if (!response.ok) throw new Error(String(response.status));
      const body = await response.json();
      if (!this.#running) return;
      this.#failures = 0;
      this.#listen();
      this.onstreams(Array.isArray(body) ? body : body.streams);
    } catch {
      if (!this.#running) return;
      pause = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
      this.onlost(pause);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#poll(), pause);
  }

  /** An EventSource reconnects by itself, except after an HTTP error: then the next good poll opens a new one. */
  #listen() {
    if (this.#events && this.#events.readyState !== EventSource.CLOSED) return;
    this.#events = new EventSource("/api/events");
    this.#events.onmessage = ({ data }) => this.ondetections(JSON.parse(data));
  }
}
