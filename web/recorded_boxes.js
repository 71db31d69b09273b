// @ts-check
// The boxes of recorded pictures: on a picture that the model saw its own, on those between where things were on their
// way from one to the next. Pure.

/** @typedef {import("./recordings.js").Columns} Columns */
/** @typedef {import("./recordings.js").Segment} Segment */
/**
 * @typedef {object} Box
 * @property {[x0: number, y0: number, x1: number, y1: number]} edges pixels of a picture of its segment's size
 * @property {string} label
 * @property {number} class_id
 * @property {number} score 0..1
 * @property {number} tracker_id 0 for what nobody follows
 */
/** @typedef {{ us: number, boxes: Box[] }} Sample us: when it is shown, microseconds from its segment's first picture */

/** Two times of one picture differ by less, microseconds: files and samples are rounded each for themselves. */
const SAME_US = 1000;
/** As live boxes are: without a new answer they stay one and a half intervals and this, microseconds. */
const STAYING = 1.5;
const STAYING_US = 300_000;
/** Where an answer is missing between two samples, things are still followed from one to the other. */
const FOLLOWED = 2.5;
/** What is taken for the time between two samples where it cannot be known. */
const USUAL_US = 200_000;

/** One segment's. */
export class SegmentBoxes {
  /** Microseconds from one sample to the next, as a rule. */
  usual = USUAL_US;
  #columns;
  /** Where each sample's boxes begin.
   * @type {number[]}
   */
  #begins = [];

  /** @param {Columns} columns */
  constructor(columns) {
    this.#columns = columns;
    let begin = 0;
    for (const count of columns.counts) {
      this.#begins.push(begin);
      begin += count;
    }
    const between = columns.times_us.slice(1).map((time, at) => time - (columns.times_us[at] ?? 0));
    this.usual = between.sort((a, b) => a - b)[between.length >> 1] ?? USUAL_US;
  }

  get size() {
    return { width: this.#columns.width, height: this.#columns.height };
  }

  get classes() {
    return this.#columns.classes;
  }

  get length() {
    return this.#columns.times_us.length;
  }

  /** The last sample at a time or before it; -1 where there is none.
   * @param {number} us
   */
  before(us) {
    const times = this.#columns.times_us;
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[middle] ?? 0) <= us) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * @param {number} at
   * @returns {Sample | null} null where there is none
   */
  sample(at) {
    const { times_us, counts, classes, class_index, scores, boxes, tracker_ids } = this.#columns;
    const us = times_us[at];
    const begin = this.#begins[at];
    if (us === undefined || begin === undefined) return null;
    return {
      us,
      boxes: Array.from({ length: counts[at] ?? 0 }, (_, place) => {
        const row = begin + place;
        const { label, class_id } = classes[class_index[row] ?? 0] ?? { label: "", class_id: 1 };
        const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = boxes.slice(4 * row, 4 * row + 4);
        return { edges: [x0, y0, x1, y1], label, class_id, score: scores[row] ?? 0, tracker_id: tracker_ids[row] ?? 0 };
      }),
    };
  }
}

/**
 * The boxes of the picture that is shown at a time.
 *
 * @param {number} us
 * @param {Sample | null} before the last at that time or before it
 * @param {Sample | null} after the first behind it
 * @param {number} usual microseconds from one sample to the next
 * @returns {Box[]}
 */
export function boxesAt(us, before, after, usual) {
  if (after && after.us - us <= SAME_US) return after.boxes; // its own: rounded to lie just behind it
  if (!before) return [];
  if (us - before.us <= SAME_US) return before.boxes;
  const between = after ? after.us - before.us : Infinity;
  if (!after || between > FOLLOWED * usual + SAME_US)
    return us - before.us <= STAYING * usual + STAYING_US ? before.boxes : [];
  const share = (us - before.us) / between;
  const next = new Map(after.boxes.map((box) => [box.tracker_id, box]));
  return before.boxes.map((box) => {
    const then = box.tracker_id ? next.get(box.tracker_id) : undefined;
    return then ? { ...box, edges: onTheWay(box.edges, then.edges, share) } : box;
  });
}

/**
 * @param {Box["edges"]} from
 * @param {Box["edges"]} to
 * @param {number} share of the way, 0..1
 * @returns {Box["edges"]}
 */
function onTheWay(from, to, share) {
  const [a, b, c, d] = from.map((edge, at) => edge + ((to[at] ?? edge) - edge) * share);
  return [a ?? 0, b ?? 0, c ?? 0, d ?? 0];
}

/** Those of a stream, by segment. */
export class RecordedBoxes {
  /** @type {Map<string, SegmentBoxes>} */
  #of = new Map();

  /** @param {string} segment */
  has(segment) {
    return this.#of.has(segment);
  }

  /**
   * @param {string} segment
   * @param {Columns} columns
   */
  take(segment, columns) {
    this.#of.set(segment, new SegmentBoxes(columns));
  }

  /** @param {string[]} segments the others are let go of */
  keep(segments) {
    for (const id of this.#of.keys()) if (!segments.includes(id)) this.#of.delete(id);
  }

  /** Every class that there is a box of, once. */
  get classes() {
    const all = [...this.#of.values()].flatMap(({ classes }) => classes);
    return [...new Map(all.map((each) => [each.label, each])).values()];
  }

  /** What the edges of a segment's boxes are pixels of; null where there are none.
   * @param {string} segment
   */
  sizeOf(segment) {
    return this.#of.get(segment)?.size ?? null;
  }

  /**
   * @param {Segment} segment
   * @param {number} us of the picture that is shown, from the segment's first
   * @param {{ last?: Segment | undefined, next?: Segment | undefined }} [around] what is recorded before and after it
   * @returns {Box[]}
   */
  at(segment, us, { last, next } = {}) {
    const own = this.#of.get(segment.id);
    if (!own) return [];
    const place = own.before(us);
    const before = own.sample(place) ?? (segment.follows && last ? this.#endOf(last, segment) : null);
    const after = own.sample(place + 1) ?? (next?.follows ? this.#beginOf(next, segment) : null);
    return boxesAt(us, before, after, own.usual);
  }

  /**
   * The last sample of the segment before, as this one counts.
   *
   * @param {Segment} last
   * @param {Segment} segment
   */
  #endOf(last, segment) {
    const boxes = this.#of.get(last.id);
    return moved(boxes?.sample(boxes.length - 1), last, segment);
  }

  /**
   * The first sample of the segment behind, as this one counts.
   *
   * @param {Segment} next
   * @param {Segment} segment
   */
  #beginOf(next, segment) {
    return moved(this.#of.get(next.id)?.sample(0), next, segment);
  }
}

/**
 * @param {Sample | null | undefined} sample
 * @param {Segment} from
 * @param {Segment} to
 * @returns {Sample | null}
 */
function moved(sample, from, to) {
  return sample ? { ...sample, us: sample.us + (from.began_at - to.began_at) * 1e6 } : null;
}
