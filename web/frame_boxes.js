// @ts-check
// The boxes of each picture of a camera's own video, by the picture's own time: never those of another one. Pure.

/** @typedef {import("./clean_wire.js").FrameAnswer} FrameAnswer */
/** @typedef {import("./recorded_boxes.js").Box} Box */
/**
 * @typedef {object} OfFrame what is known of a picture's things
 * @property {Box[]} boxes edges: of the picture, 0..1
 * @property {boolean} known whether anything is
 * @property {boolean} exact whether the model looked at this very picture
 * @property {boolean} awaited whether it does, and has not answered yet
 */

/** More pictures than are held or on their way: four seconds of 60 a second. */
const MOST = 240;

export class FrameBoxes {
  #opening = -1;
  /** @type {Map<number, FrameAnswer>} */
  #answers = new Map();
  /** @type {Set<number>} */
  #sampled = new Set();

  /** @param {FrameAnswer} answer */
  take(answer) {
    this.#open(answer.opening);
    if (answer.exact) this.#sampled.add(answer.time);
    else if (this.#answers.get(answer.time)?.exact) return;
    this.#answers.set(answer.time, answer);
    trim(this.#answers);
    trim(this.#sampled);
  }

  /**
   * @param {number} opening
   * @param {number} time of a picture that the model looks at
   */
  sampled(opening, time) {
    this.#open(opening);
    this.#sampled.add(time);
    trim(this.#sampled);
  }

  /**
   * @param {number} opening
   * @param {number} time
   * @returns {OfFrame}
   */
  of(opening, time) {
    const isThis = opening === this.#opening;
    const answer = isThis ? this.#answers.get(time) : undefined;
    const exact = answer?.exact ?? false;
    const awaited = isThis && !exact && this.#sampled.has(time);
    return { boxes: answer?.boxes ?? [], known: answer !== undefined, exact, awaited };
  }

  /** @param {number} opening of the source: with another one times begin anew */
  #open(opening) {
    if (opening === this.#opening) return;
    this.#opening = opening;
    this.#answers.clear();
    this.#sampled.clear();
  }
}

/** Lets go of the oldest.
 * @param {Map<number, unknown> | Set<number>} kept
 */
function trim(kept) {
  for (const key of kept.keys()) {
    if (kept.size <= MOST) return;
    kept.delete(key);
  }
}
