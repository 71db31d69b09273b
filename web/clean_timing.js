// @ts-check
// When a picture is shown: at once, or as much later as its boxes need. Pure: the time is an argument, milliseconds.

import { Hold } from "./hold.js";

/** Further behind the quickest ever, a picture is not worth being seen: it lay in the buffers of a network, or of this page. */
export const MOST_LAG_MS = 700;
/** By how much of the time the clocks of two machines drift apart at most. */
const DRIFT = 1e-4;
/** Pictures after which it is said that boxes are late, or no more. */
const RECENT = 20;
/** Pictures whose answers may still come. */
const MOST = 120;

export class CleanTiming {
  /** Whether pictures wait for their boxes. */
  exact = true;
  /** What lies between the server's clock and this one on the quickest way, and when that was last said. */
  #offset = Infinity;
  #since = 0;
  /** When pictures came to the server, by their times.
   * @type {Map<number, number>}
   */
  #received = new Map();
  #hold = new Hold();
  /** Of the last pictures that the model saw, whether their boxes were late.
   * @type {boolean[]}
   */
  #lates = [];

  /** How long they do now, milliseconds. */
  get hold() {
    return this.exact ? this.#hold.ms : 0;
  }

  /** Another connection, another server perhaps. */
  forget() {
    this.#offset = Infinity;
    [this.#hold, this.#lates] = [new Hold(), []];
    this.#received.clear();
  }

  /**
   * The server has said its time.
   *
   * @param {number} then by its clock
   * @param {number} now
   */
  began(then, now) {
    this.#offset = Math.min(this.#offset + DRIFT * (now - this.#since), now - then);
    this.#since = now;
  }

  /**
   * A picture came, not from memory.
   *
   * @param {number} time by which it is known
   * @param {number} received when it came to the server, of the server's clock
   * @param {number} now
   * @returns {number} how much later than on the quickest way
   */
  came(time, received, now) {
    this.#received.set(time, received);
    for (const oldest of this.#received.keys()) {
      if (this.#received.size <= MOST) break;
      this.#received.delete(oldest);
    }
    this.began(received, now);
    this.#hold.move(now);
    return now - this.#at(received);
  }

  /**
   * The exact boxes of a picture came.
   *
   * @param {number} time of the picture
   * @param {number} now
   */
  answered(time, now) {
    const received = this.#received.get(time);
    if (received !== undefined) this.#hold.answered(now - this.#at(received), now);
  }

  /**
   * When a picture is to be shown. What came late is not made later: the hold takes up what the network lost.
   *
   * @param {number} received
   * @param {number} now when it came
   */
  due(received, now) {
    return this.exact ? Math.max(now, this.#at(received) + this.#hold.ms) : now;
  }

  /** A picture that the model saw was shown. @param {boolean} late before its boxes came */
  shown(late) {
    this.#lates.push(late);
    if (this.#lates.length > RECENT) this.#lates.shift();
  }

  /** Whether boxes come later, as a rule, than pictures are held. */
  get late() {
    const lates = this.#lates.filter(Boolean).length;
    return this.exact && this.#lates.length >= RECENT / 2 && lates > this.#lates.length / 4;
  }

  /** @param {number} received */
  #at(received) {
    return received + this.#offset;
  }
}
