// @ts-check
// The boxes of one stream's segments, fetched as one goes on; of a segment that grows, again and again. No DOM.

import { RecordedBoxes } from "./recorded_boxes.js";
import { GROWN_MS } from "./recorded_index.js";
import { boxesOf } from "./recordings.js";

/** @typedef {import("./recordings.js").Segment} Segment */

export class BoxFetching {
  boxes = new RecordedBoxes();
  #stream;
  #onboxes;
  /** When each was asked for last.
   * @type {Map<string, number>}
   */
  #askedAt = new Map();

  /**
   * @param {string} stream
   * @param {() => void} onboxes there are more than before
   */
  constructor(stream, onboxes) {
    this.#stream = stream;
    this.#onboxes = onboxes;
  }

  /** @param {Segment[]} segments whose boxes are wanted; others are let go of */
  want(segments) {
    const ids = segments.map(({ id }) => id);
    this.boxes.keep(ids);
    for (const id of this.#askedAt.keys()) if (!ids.includes(id)) this.#askedAt.delete(id);
    for (const segment of segments) this.#fetch(segment);
  }

  /** @param {Segment} segment */
  async #fetch({ id, ended_at }) {
    const since = performance.now() - (this.#askedAt.get(id) ?? -Infinity);
    if (since < GROWN_MS || (this.boxes.has(id) && ended_at !== null)) return;
    this.#askedAt.set(id, performance.now());
    const columns = await boxesOf(this.#stream, id).catch(() => null); // the video is worth seeing without
    if (!columns || !this.#askedAt.has(id)) return;
    this.boxes.take(id, columns);
    this.#onboxes();
  }
}
