// @ts-check
// What the server says: the list of streams once a second, and the detections of all streams in one connection. No DOM.

import { Refusal, doubts, request } from "./request.js";

/** @typedef {import("./sightings.js").Detection} Detection */
/**
 * @typedef {object} Stream one entry of GET /api/streams; null means unknown
 * @property {string} name
 * @property {"file" | "api" | "publisher"} [origin] who named it
 * @property {"connecting" | "live" | "stale" | "offline" | "paused" | "moving"} state
 * @property {string | null} [reason] a sentence
 * @property {string | null} [error] the same as a word, where a camera is away; docs/cameras.md lists them
 * @property {number | null} [width] pixels; null before the first picture
 * @property {number | null} [height] pixels
 * @property {number | null} [fps] frames a second from the camera
 * @property {number | null} [detections_per_second] frames a second that the model answered
 * @property {number} [sample_fps] samples a second that are asked for; an older server has none
 * @property {number | null} [effective_sample_fps] that its model has the time for; null: all
 * @property {number | null} [pictures_per_sample] that the model looked at for its newest answer: 1, and its tiles
 * @property {number | null} [age_ms] from a sampled frame's arrival to its answer
 * @property {number | null} [picture_age_ms] from a frame's arrival to leaving the server annotated
 * @property {import("./latency.js").Latency | null} [latency] what a picture's age is made of; an older server has none
 * @property {string | null} [model]
 * @property {string[] | null} [findings] labels that the model's contract calls findings; an older server has none
 * @property {number | null} [viewers]
 * @property {Recording | null} [recording] null where nothing is kept
 * @property {string | null} [replica] the one of a cluster that runs it; null while it moves; without one it is not there
 * @property {{ state: string, reason: string | null } | null} [sub] its smaller video; null where it has none
 */
/**
 * @typedef {object} Recording what of its video is kept
 * @property {"off" | "events" | "continuous"} mode
 * @property {string} state a word: off, waiting, recording, behind, full, stuck, failing or unsupported
 * @property {string | null} [reason] a sentence
 * @property {number | null} [days_fit] that there is room for at today's rate; null while that is not known
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
const RETRY_MS = [1000, 1000, 2000];
const LONGEST_RETRY_MS = 4000;
const ANSWER_MS = 4000;
/** How long the events are not asked for after a refusal, such as a 503 with no place free; twice as long each time. */
const REFUSED_MS = 5000;
const LONGEST_REFUSED_MS = 60_000;
/** When this long nothing came of this many detections, the connection is dead and nobody has told the browser. */
const DEAF_MS = 10_000;
const DEAF_EVENTS = 20;

export class Feed {
  /** @type {EventSource | null} */
  #events = null;
  /** When an event last came, or could have begun to. */
  #heardAt = 0;
  /** How often in a row the events were refused, and when they may be asked for again. */
  #refusals = 0;
  #askAgainAt = 0;
  #timer = 0;
  /** Which of the polls is the one that counts; one that was overtaken says nothing. */
  #turn = 0;
  #failures = 0;
  #running = false;

  /**
   * @param {object} listeners
   * @param {(streams: Stream[]) => void} listeners.onstreams
   * @param {(event: DetectionEvent) => void} listeners.ondetections
   * @param {(retryMs: number) => void} listeners.onlost after each failed poll; not where the server refused the list
   */
  constructor({ onstreams, ondetections, onlost }) {
    this.onstreams = onstreams;
    this.ondetections = ondetections;
    this.onlost = onlost;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.refresh();
  }

  stop() {
    this.#running = false;
    this.#turn++;
    clearTimeout(this.#timer);
    this.#close();
  }

  /** Something has changed: do not wait for the next poll's turn. */
  refresh() {
    if (this.#running) this.#poll(++this.#turn);
  }

  /** @param {number} turn */
  async #poll(turn) {
    clearTimeout(this.#timer);
    /** @type {Refusal | null} */
    let refused = null;
    const streams = await fetchStreams().catch((error) => {
      if (error instanceof Refusal && (error.status === 401 || error.status === 403)) refused = error;
      return null;
    });
    if (turn !== this.#turn) return;
    const pause = streams ? POLL_MS : (RETRY_MS[this.#failures] ?? LONGEST_RETRY_MS);
    this.#failures = streams ? 0 : this.#failures + 1;
    this.#timer = setTimeout(() => this.refresh(), pause); // first: no listener's mistake ends the polling
    if (refused) return this.#close(); // visitor.js asks what has become of us
    if (!streams) return this.onlost(pause);
    this.#listen(streams);
    this.onstreams(streams);
  }

  /**
   * An EventSource reconnects by itself, except after an HTTP error, and when its connection died in silence: a laptop
   * that slept, a router that forgot. After an error it closes, and says neither which one it was nor its Retry-After.
   *
   * @param {Stream[]} streams
   */
  #listen(streams) {
    const now = performance.now();
    const rate = streams.reduce((sum, { detections_per_second: each }) => sum + (each ?? 0), 0);
    if (rate === 0) this.#heardAt = now;
    const silent = now - this.#heardAt;
    const deaf = silent > DEAF_MS && (silent / 1000) * rate > DEAF_EVENTS;
    if (deaf) this.#close();
    if (this.#events || now < this.#askAgainAt) return;
    this.#heardAt = now;
    const events = (this.#events = new EventSource("api/detections"));
    events.onopen = () => (this.#refusals = 0);
    events.onerror = () => {
      doubts.dispatchEvent(new Event("refused")); // it also ends where what we may has changed
      if (events === this.#events && events.readyState === EventSource.CLOSED) this.#refused();
    };
    events.onmessage = ({ data }) => {
      this.#heardAt = performance.now();
      this.ondetections(JSON.parse(data));
    };
  }

  #refused() {
    this.#close();
    this.#askAgainAt = performance.now() + Math.min(REFUSED_MS * 2 ** this.#refusals++, LONGEST_REFUSED_MS);
  }

  #close() {
    this.#events?.close();
    this.#events = null;
  }
}

/** @returns {Promise<Stream[]>} */
async function fetchStreams() {
  const response = await request("GET", "api/streams", { waitMs: ANSWER_MS });
  const streams = await response.json();
  if (!Array.isArray(streams)) throw new Error("no list of streams");
  return streams;
}
