// @ts-check
// When a picture is shown: at once, or as much later as its boxes need. Pure: the time is an argument, milliseconds.

/** No picture is held longer: a slower model shows its boxes late instead. */
export const MOST_HOLD_MS = 500;
/** Added to what the answers took. */
const MARGIN_MS = 8;
/** Answers that say how long the next one takes. */
const ANSWERS = 40;
const ENOUGH = 0.95;
/** By how much the hold follows, a picture: faster would be seen as a jump. */
const STEP_MS = 2;
/** How long the quickest way of a picture counts, twice at most: clocks drift. */
const QUICKEST_MS = 10_000;
/** Pictures after which it is said that boxes are late, or no more. */
const RECENT = 20;
/** Pictures whose answers may still come. */
const MOST = 120;

export class CleanTiming {
  /** Whether pictures wait for their boxes. */
  exact = true;
  /** How long they do now. */
  hold = 0;
  /** What lies between the server's clock and this one on the quickest way; the time before, and now.
   * @type {[number, number]}
   */
  #offsets = [Infinity, Infinity];
  #since = -Infinity;
  /** When pictures came to the server, by their times.
   * @type {Map<number, number>}
   */
  #received = new Map();
  /** @type {number[]} */
  #answers = [];
  /** Of the last pictures that the model saw, whether their boxes were late.
   * @type {boolean[]}
   */
  #lates = [];

  /** Another connection, another server perhaps. */
  forget() {
    this.#offsets = [Infinity, Infinity];
    [this.#answers, this.#lates, this.hold] = [[], [], 0];
    this.#received.clear();
  }

  /**
   * A picture came, not from memory.
   *
   * @param {number} time by which it is known
   * @param {number} received when it came to the server, of the server's clock
   * @param {number} now
   */
  came(time, received, now) {
    this.#received.set(time, received);
    for (const oldest of this.#received.keys()) {
      if (this.#received.size <= MOST) break;
      this.#received.delete(oldest);
    }
    if (now - this.#since > QUICKEST_MS) {
      this.#offsets = [this.#offsets[1], Infinity];
      this.#since = now;
    }
    this.#offsets[1] = Math.min(this.#offsets[1], now - received);
    const target = this.#target();
    this.hold = this.hold === 0 ? target : this.hold + Math.max(-STEP_MS, Math.min(STEP_MS, target - this.hold));
  }

  /**
   * The exact boxes of a picture came.
   *
   * @param {number} time of the picture
   * @param {number} now
   */
  answered(time, now) {
    const received = this.#received.get(time);
    if (received === undefined) return;
    this.#answers.push(now - this.#at(received));
    if (this.#answers.length > ANSWERS) this.#answers.shift();
  }

  /**
   * When a picture is to be shown. What came late is not made later: the hold takes up what the network lost.
   *
   * @param {number} received
   * @param {number} now when it came
   */
  due(received, now) {
    return this.exact ? Math.max(now, this.#at(received) + this.hold) : now;
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
    return received + Math.min(...this.#offsets);
  }

  #target() {
    if (this.#answers.length === 0) return 0;
    const ordered = [...this.#answers].sort((a, b) => a - b);
    const enough = ordered[Math.floor(ENOUGH * (ordered.length - 1))] ?? 0;
    return Math.min(MOST_HOLD_MS, Math.max(1, enough + MARGIN_MS));
  }
}
