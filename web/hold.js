// @ts-check
// How long pictures wait for their boxes: what the answers of the last moments took, soon after a stall too; as
// streamer/view/hold.py has it for the pictures that the server draws on, with more room for what a network does to
// answers. Pure: the time is an argument, milliseconds.

/** A slower model than this shows its boxes late instead of the picture. */
export const MOST_MS = 500;
/** From an answer to its being known here. */
const MARGIN_MS = 8;
/** What is waited for late answers at most, above the median; and the share of the answers that is waited for so. */
const SPREAD_MS = 40;
const SHARE = 0.9;
/** How long an answer counts; and how many do however long ago they came, and at most. */
const WINDOW_MS = 1400;
const LEAST = 3;
const MEMORY = 256;
/** By how much of a second it grows in a second, and falls: slowly, or as fast as is hardly seen after a stall. */
const SLOWER = 0.1;
const FASTER = 0.1;
const FASTEST = 0.5;
/** Within this time the most of a distance is made good, between those two speeds. */
const EASE_MS = 200;

export class Hold {
  /** What it is now. */
  ms = 0;
  #wanted = 0;
  /** @type {{ at: number, took: number }[]} oldest first */
  #answers = [];
  #movedAt = NaN;

  /**
   * @param {number} took of an answer, from its picture's coming
   * @param {number} at now
   */
  answered(took, at) {
    const answers = this.#answers;
    answers.push({ at, took: Math.max(0, took) });
    while (answers.length > LEAST && ((answers[0]?.at ?? at) < at - WINDOW_MS || answers.length > MEMORY))
      answers.shift();
    const ordered = answers.map((each) => each.took).sort((a, b) => a - b);
    const usual = ordered[(ordered.length - 1) >> 1] ?? 0;
    const late = ordered[Math.floor(SHARE * (ordered.length - 1))] ?? 0;
    this.#wanted = Math.min(MOST_MS, usual + Math.min(late - usual, SPREAD_MS) + MARGIN_MS);
  }

  /** Follows what is wanted, at a speed that is hardly seen; at once the first time.
   * @param {number} at when a picture comes
   */
  move(at) {
    const elapsed = Number.isNaN(this.#movedAt) ? 0 : Math.max(0, at - this.#movedAt);
    this.#movedAt = Number.isNaN(this.#movedAt) ? at : Math.max(at, this.#movedAt);
    const missing = this.#wanted - this.ms;
    if (this.ms === 0 || elapsed > MOST_MS) this.ms = this.#wanted;
    else if (missing > 0) this.ms += Math.min(missing, SLOWER * elapsed);
    else this.ms += Math.max(missing, -Math.min(FASTEST, Math.max(FASTER, -missing / EASE_MS)) * elapsed);
  }
}
