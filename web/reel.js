// @ts-check
// What is known of one stream's recorded segments, in the order of time, and what is fetched of them next. Pure.

/** @typedef {import("./recordings.js").Segment} Segment */
/** @typedef {[from: number, to: number]} Range seconds since 1970 */
/**
 * @typedef {object} Piece fragments of one segment, one after the other, that are fetched at once
 * @property {Segment} segment
 * @property {number} offset bytes from the beginning of the file
 * @property {number} size bytes
 * @property {number} from seconds since 1970
 * @property {number} to
 */

/** Two times of the same picture differ by less: the index has milliseconds. */
export const SAME = 0.002;
/** A piece that is not needed at once is about as long, seconds: fewer requests, and none that lasts. */
const PIECE_S = 4;
const PIECE_BYTES = 2 << 20;
/** What is looked at of another time lies no longer in memory, seconds. */
const KEPT_S = 3600;

export class Reel {
  /** @type {Segment[]} */
  #segments = [];

  /** @param {Segment[]} segments as the index has them now; of one that was known already, the newer word counts */
  take(segments) {
    const fresh = new Map(segments.map((segment) => [segment.id, segment]));
    const known = this.#segments.filter(({ id }) => !fresh.has(id));
    this.#segments = [...known, ...segments].sort((a, b) => a.began_at - b.began_at);
  }

  /** Lets go of what is far from a time.
   * @param {number} at
   */
  trim(at) {
    this.#segments = this.#segments.filter((each) => endOf(each) > at - KEPT_S && each.began_at < at + KEPT_S);
  }

  /** The one that has a picture at that time.
   * @param {number} at
   * @returns {Segment | undefined}
   */
  at(at) {
    // Where two overlap by a hair, what began last is what was appended last.
    return this.#segments.findLast((each) => each.began_at <= at + SAME && at < endOf(each) - SAME);
  }

  /** The first that begins after a time.
   * @param {number} at
   * @returns {Segment | undefined}
   */
  after(at) {
    return this.#segments.find(({ began_at }) => began_at > at + SAME);
  }

  /** The last that ends at a time or before it.
   * @param {number} at
   * @returns {Segment | undefined}
   */
  before(at) {
    return this.#segments.findLast((each) => endOf(each) <= at + SAME);
  }

  /** Whether one of them is still being written. */
  get isGrowing() {
    return this.#segments.at(-1)?.ended_at === null;
  }

  /**
   * What is fetched next, so that playing can go on from a time.
   *
   * @param {number} at
   * @param {number} ahead seconds that are to be there
   * @param {Range[]} buffered what is there
   * @returns {Piece | null} null where nothing is missing
   */
  missing(at, ahead, buffered) {
    for (let time = at; time < at + ahead;) {
      const segment = this.at(time) ?? this.after(time);
      if (!segment || segment.began_at >= at + ahead) return null;
      const piece = missingOf(segment, Math.max(time, segment.began_at), at, buffered);
      if (piece) return piece.from < at + ahead ? piece : null;
      time = Math.max(endOf(segment), time + SAME);
    }
    return null;
  }
}

/** When the last picture of a segment has been shown, as far as is known.
 * @param {Segment} segment
 */
export function endOf({ began_at, ended_at, fragments }) {
  if (ended_at !== null) return ended_at;
  const [, , timeMs, durationMs] = fragments?.at(-1) ?? [0, 0, 0, 0];
  return began_at + (timeMs + durationMs) / 1000;
}

/**
 * @param {Segment} segment
 * @param {number} from what was before is not needed
 * @param {number} at what is played: up to there as little as can be, later on as much as goes well at once
 * @param {Range[]} buffered
 * @returns {Piece | null}
 */
function missingOf(segment, from, at, buffered) {
  const fragments = segment.fragments ?? [];
  const first = fragments.findIndex(
    ([, , time, duration]) =>
      segment.began_at + (time + duration) / 1000 > from + SAME &&
      !isIn(segment.began_at + (time + duration / 2) / 1000, buffered),
  );
  if (first < 0) return null;
  let begin = first;
  while (begin > 0 && !fragments[begin]?.[4]) begin--; // what is decoded begins with a keyframe
  const piece = { segment, offset: fragments[begin]?.[0] ?? 0, size: 0, from: 0, to: 0 };
  piece.from = segment.began_at + (fragments[begin]?.[2] ?? 0) / 1000;
  for (const [place, [offset, size, time, duration]] of fragments.entries()) {
    if (place < begin) continue;
    const urgent = piece.from <= at + SAME;
    const enough = urgent ? piece.to > at + SAME : piece.to - piece.from >= PIECE_S || piece.size >= PIECE_BYTES;
    if (place > first && enough) break;
    piece.size = offset + size - piece.offset;
    piece.to = segment.began_at + (time + duration) / 1000;
  }
  return piece;
}

/**
 * @param {number} at
 * @param {Range[]} ranges
 */
export function isIn(at, ranges) {
  return ranges.some(([from, to]) => from <= at && at < to);
}
