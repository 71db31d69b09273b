// @ts-check
// The segments of one stream around what is looked at, asked for as one goes on, and anew where more may have come. No DOM.

import { Reel } from "./reel.js";
import { index } from "./recordings.js";

/** Asked for at once, before and after, seconds. */
const BEFORE_S = 90;
const AFTER_S = 420;
/** What is asked for anew begins with what was known last. */
const AGAIN_S = 5;
/** How long ago it was asked where more may have been recorded since. */
export const GROWN_MS = 1500;
/** What is younger may not have been written yet: a segment lasts two minutes at the most. */
const YOUNG_S = 130;

export class RecordedIndex {
  reel = new Reel();
  #stream;
  #from = 0;
  #to = 0;
  #askedAt = -Infinity;

  /** @param {string} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  /** Whether all is known of a moment.
   * @param {number} at
   */
  knows(at) {
    return this.#from <= at && at <= this.#to;
  }

  /**
   * Has what is recorded in a stretch known.
   *
   * @param {number} from
   * @param {number} to
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether it was asked for
   * @throws {import("./request.js").Refusal}
   */
  async ask(from, to, signal) {
    const settled = Math.min(this.#to, Date.now() / 1000 - YOUNG_S);
    const grown = to > settled && performance.now() - this.#askedAt > GROWN_MS;
    if (this.knows(from) && this.knows(to) && !grown) return false;
    const begin = this.knows(from) ? Math.max(from - AGAIN_S, this.#from) : from - BEFORE_S;
    const askedAt = performance.now();
    const found = await index(this.#stream, begin, from + AFTER_S, "fragments", signal);
    this.reel.take(found.segments);
    this.reel.trim(from);
    if (!this.knows(begin)) this.#from = begin;
    [this.#to, this.#askedAt] = [found.more ?? found.to, askedAt];
    return true;
  }
}
