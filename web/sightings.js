// @ts-check
// What has been seen on one stream: the labels in the newest frame, and how long each stayed in view. Pure.

/** A label that comes back within this time was never gone: detectors blink. */
const GONE_AFTER_MS = 2000;
const KEPT = 30;

/** @typedef {{ label: string, class_id: number, score: number, box: [number, number, number, number] }} Detection */
/**
 * @typedef {object} Seen one label in one frame
 * @property {string} label
 * @property {number} class_id
 * @property {boolean} finding whether it is what the model was made to find, and not furniture: the page sets it apart
 * @property {number} count
 * @property {number} best score
 */
/**
 * @typedef {object} Sighting one label in view without a gap
 * @property {string} label
 * @property {number} class_id
 * @property {boolean} finding
 * @property {number} since wall clock, ms
 * @property {number} until wall clock, ms
 * @property {number} most boxes at once
 * @property {number} best score
 * @property {boolean} over
 */

/**
 * @param {Detection[]} detections of one frame
 * @param {readonly string[]} findings the labels that the model's contract calls so
 * @returns {Seen[]} findings first, then by count and name
 */
export function countByLabel(detections, findings) {
  /** @type {Map<string, Seen>} */
  const seen = new Map();
  for (const { label, class_id, score } of detections) {
    const entry = seen.get(label) ?? { label, class_id, finding: findings.includes(label), count: 0, best: 0 };
    entry.count++;
    entry.best = Math.max(entry.best, score);
    seen.set(label, entry);
  }
  return [...seen.values()].sort(
    (a, b) => Number(b.finding) - Number(a.finding) || b.count - a.count || a.label.localeCompare(b.label),
  );
}

export class Sightings {
  /** @type {readonly string[]} as for countByLabel(), from the next frame on */
  findings = [];
  /** @type {Seen[]} the newest frame */
  now = [];
  /** @type {Sighting[]} newest first, at most KEPT */
  list = [];

  /**
   * @param {Detection[]} detections of one frame
   * @param {number} at wall clock, ms
   */
  add(detections, at) {
    this.now = countByLabel(detections, this.findings);
    for (const seen of this.now) {
      const open = this.list.find((sighting) => sighting.label === seen.label && !sighting.over);
      if (open && at - open.until <= GONE_AFTER_MS) {
        open.until = at;
        open.finding = seen.finding;
        open.most = Math.max(open.most, seen.count);
        open.best = Math.max(open.best, seen.best);
      } else {
        if (open) open.over = true;
        const { label, class_id, finding, count, best } = seen;
        this.list.unshift({ label, class_id, finding, since: at, until: at, most: count, best, over: false });
      }
    }
    this.expire(at);
    this.list.length = Math.min(this.list.length, KEPT);
  }

  /**
   * Ends what has not been seen lately; without frames too, so that nothing stays on the screen for ever.
   *
   * @param {number} at wall clock, ms
   */
  expire(at) {
    for (const sighting of this.list) if (at - sighting.until > GONE_AFTER_MS) sighting.over = true;
    if (this.list.every((sighting) => sighting.over)) this.now = [];
  }
}
