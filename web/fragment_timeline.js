// @ts-check
// When each picture of a camera is played as a fragment of its own: without gaps, at which players stop, whatever the
// camera's own times do. Pure.

import { TICKS } from "./fragment.js";

/** @typedef {{ decode: number, shown: number, lasts: number }} Times ticks */

/** Room for what is shown before what comes before it, ticks. */
const BEGINNING = 2 * TICKS;
/** What lies further from the one before than so many usual pictures is moved closer. */
const LONGEST = 1.5;
const SHORTEST = 0.5;
/** By how much the usual length follows, a picture. */
const FOLLOWS = 0.1;
/** Pictures that are known by when they are played. */
const MOST = 240;

/** @template T what is remembered of each picture */
export class FragmentTimeline {
  #usual;
  #reorder;
  #last = NaN;
  #newest = BEGINNING;
  #decode = -Infinity;
  /** When those are shown that have given nobody their turn to be decoded.
   * @type {number[]}
   */
  #turns = [];
  /** @type {Map<number, T>} */
  #known = new Map();

  /**
   * @param {number} rate pictures a second, roughly
   * @param {number} reorder pictures that may come before one that is shown earlier
   */
  constructor(rate, reorder) {
    this.#usual = TICKS / rate;
    this.#reorder = reorder;
  }

  /**
   * @param {number} time of the next picture as it is decoded, microseconds
   * @param {T} picture
   * @returns {Times}
   */
  next(time, picture) {
    const passed = Number.isNaN(this.#last) ? 0 : ((time - this.#last) * TICKS) / 1e6;
    const isNewest = !(passed < 0 && passed > -(this.#reorder + 1) * this.#usual * 2);
    let shown = Math.round(this.#newest + passed);
    if (isNewest) {
      const usual = this.#usual;
      const least = Number.isNaN(this.#last) ? 0 : SHORTEST * usual;
      shown = Math.round(this.#newest + Math.min(Math.max(passed, least), (LONGEST + this.#reorder) * usual));
      if (passed > 0) this.#usual += FOLLOWS * (Math.min(passed / (1 + this.#reorder), TICKS) - usual);
      [this.#last, this.#newest] = [time, shown];
    }
    this.#decode = Math.max(this.#decode + 1, this.#turn(shown));
    this.#known.set(shown, picture);
    for (const key of this.#known.keys()) {
      if (this.#known.size <= MOST) break;
      this.#known.delete(key);
    }
    return { decode: this.#decode, shown, lasts: Math.max(1, Math.round(this.#usual)) };
  }

  /**
   * The picture that is seen.
   *
   * @param {number} seconds of the player
   * @returns {T | null}
   */
  at(seconds) {
    const ticks = Math.round(seconds * TICKS);
    for (const near of [0, 1, -1, 2, -2]) {
      const picture = this.#known.get(ticks + near);
      if (picture !== undefined) return picture;
    }
    return null;
  }

  /** When the newest is shown, seconds of the player. */
  get end() {
    return this.#newest / TICKS;
  }

  /** When a picture is decoded: as those before it are shown, later pictures waiting for earlier ones.
   * @param {number} shown
   */
  #turn(shown) {
    this.#turns.push(shown);
    this.#turns.sort((a, b) => a - b);
    if (this.#turns.length > this.#reorder) return this.#turns.shift() ?? shown;
    return Math.round(shown - (this.#reorder + 1 - this.#turns.length) * this.#usual);
  }
}
