// @ts-check
// Events as the server tells of them: once they are kept, and with each change. No DOM.

import { doubts } from "./request.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */

const REFUSED_MS = 5000;
const LONGEST_REFUSED_MS = 60_000;

export class Told {
  /** @type {EventSource | null} */
  #source = null;
  #refusals = 0;
  #timer = 0;

  /**
   * @param {object} listeners
   * @param {(event: KeptEvent) => void} listeners.onevent
   * @param {() => void} listeners.onopen from now on all are told; some may have been missed
   */
  constructor({ onevent, onopen }) {
    this.onevent = onevent;
    this.onopen = onopen;
  }

  start() {
    if (this.#source) return;
    clearTimeout(this.#timer);
    const source = (this.#source = new EventSource("api/events/stream"));
    source.onopen = () => {
      this.#refusals = 0;
      this.onopen();
    };
    // It comes again by itself and says which it had last; but after a refusal it is closed, and never says why.
    source.onerror = () => {
      doubts.dispatchEvent(new Event("refused"));
      if (source === this.#source && source.readyState === EventSource.CLOSED) this.#refused();
    };
    for (const kind of ["new", "updated", "ended"])
      source.addEventListener(kind, ({ data }) => this.onevent(JSON.parse(data)));
  }

  stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #refused() {
    this.stop();
    const pause = Math.min(REFUSED_MS * 2 ** this.#refusals++, LONGEST_REFUSED_MS);
    this.#timer = setTimeout(() => this.start(), pause);
  }
}
