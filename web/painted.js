// @ts-check
// Tells the server when the frames of a session were painted here, so that it knows how old they are on the glass.

import { ServerClock } from "./server_clock.js";

/** When a frame was painted: what names it, when its last packet came (null: unknown), when it was seen. By performance.now().
 * @typedef {[identity: number, received: number | null, painted: number]} Painting
 */

const EVERY_MS = 2000;
/** As many as the server takes at once; older ones are given up. */
const MOST = 128;
/** Asked for nothing but the time, at once, before the first frames are told. */
const FIRST_EXCHANGES = 3;
/** A refusal may be of one moment, as of a proxy that starts; after so many in a row it is meant. */
const FAILURES = 3;
const ANSWER_MS = 5000;

export class PaintedReports {
  #clock = new ServerClock();
  /** @type {Painting[]} */
  #paintings = [];
  /** Whether there is to be no further report: the session is over, or the server wants none. */
  #over = false;
  #begun = false;
  #failures = 0;
  #url;
  #signal;
  #timer = 0;

  /**
   * @param {string} url that takes them
   * @param {AbortSignal} signal aborted when the session ends
   */
  constructor(url, signal) {
    this.#url = url;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#end(), { once: true });
  }

  /**
   * A frame is on the screen; with the first of them the reports begin.
   *
   * @param {number} identity
   * @param {number | null} received
   * @param {number} painted
   */
  add(identity, received, painted) {
    if (this.#over || this.#signal.aborted || document.hidden) return;
    this.#paintings.push([identity, received && tenths(received), tenths(painted)]);
    if (this.#paintings.length > MOST) this.#paintings.shift();
    if (!this.#begun) this.#begin();
  }

  async #begin() {
    this.#begun = true;
    for (let asked = 0; asked < FIRST_EXCHANGES && !this.#over; asked++) await this.#report([]);
    this.#wait(EVERY_MS);
  }

  /** @param {number} ms */
  #wait(ms) {
    if (!this.#over) this.#timer = setTimeout(() => this.#tick(), ms);
  }

  async #tick() {
    const paintings = this.#paintings.splice(0);
    // Of a page that nobody sees, or whose video stands still, there is nothing to tell.
    const pause = paintings.length > 0 && !document.hidden ? await this.#report(paintings) : 0;
    this.#wait(Math.max(EVERY_MS, pause));
  }

  /**
   * @param {Painting[]} frames
   * @returns {Promise<number>} ms that the server asks to be left alone for
   */
  async #report(frames) {
    const known = this.#clock.best;
    const sent = performance.now();
    const body = JSON.stringify({
      sent,
      offset: known?.offset ?? null,
      round_trip: known?.roundTrip ?? null,
      frames: known ? frames : [],
    });
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      signal: this.#patience(),
    }).catch(() => null);
    const heard = performance.now();
    if (response?.ok) {
      const said = await response.json().catch(() => ({}));
      this.#clock.learn({ sent, received: said.received, answered: said.answered, heard });
      this.#failures = 0;
    } else if (response?.status === 429) {
      return (Number(response.headers.get("Retry-After")) || 0) * 1000;
    } else if (++this.#failures === FAILURES || (response && response.status < 500)) {
      this.#end();
    }
    return 0;
  }

  /** Aborted when an answer has taken too long, or the session ends. AbortSignal.any() is younger than browsers that play this. */
  #patience() {
    const asking = new AbortController();
    const late = AbortSignal.timeout(ANSWER_MS);
    const stop = () => {
      late.removeEventListener("abort", stop);
      this.#signal.removeEventListener("abort", stop);
      asking.abort();
    };
    late.addEventListener("abort", stop);
    this.#signal.addEventListener("abort", stop);
    return asking.signal;
  }

  #end() {
    this.#over = true;
    this.#paintings = [];
    clearTimeout(this.#timer);
  }
}

/** @param {number} ms */
function tenths(ms) {
  return Math.round(ms * 10) / 10;
}
