// @ts-check
// The pictures that were fetched, by segment: when each is shown, and for how long. Pure.

import { pictureTimes, pictureTrack } from "./picture_times.js";

/** @typedef {import("./recordings.js").Segment} Segment */
/** @typedef {[us: number, durationUs: number]} KnownPicture us: from its segment's first */

/** The clock of a <video> and that of an index are rounded each for themselves, microseconds. */
const ROUNDED_US = 1000;
/** Where nothing says how long a picture is shown. */
export const USUAL_US = 40_000;

export class KnownPictures {
  /** @type {Map<string, KnownPicture[]>} */
  #of = new Map();

  /**
   * @param {string} segment
   * @param {Uint8Array} init what stands before its fragments
   * @param {Uint8Array} bytes whole fragments
   */
  note(segment, init, bytes) {
    const track = pictureTrack(init);
    if (!track) return;
    const known = new Map(this.#of.get(segment));
    for (const [time, duration] of pictureTimes(bytes, track)) known.set(time, duration);
    this.#of.set(
      segment,
      [...known].sort(([a], [b]) => a - b),
    );
  }

  /** @param {string[]} segments the others are let go of */
  keep(segments) {
    for (const id of this.#of.keys()) if (!segments.includes(id)) this.#of.delete(id);
  }

  clear() {
    this.#of.clear();
  }

  /**
   * The one that is shown at a time.
   *
   * @param {Segment} segment
   * @param {number} at seconds since 1970
   * @returns {KnownPicture | undefined} undefined where it was not fetched
   */
  at({ id, began_at }, at) {
    const us = (at - began_at) * 1e6;
    const found = this.#of.get(id)?.findLast(([time]) => time <= us + ROUNDED_US);
    return found && us < found[0] + found[1] + ROUNDED_US ? found : undefined;
  }

  /**
   * When the one before or after another is shown, or where that was not fetched, about when.
   *
   * @param {string} segment
   * @param {number} us
   * @param {1 | -1} by
   */
  beside(segment, us, by) {
    const times = this.#of.get(segment) ?? [];
    const at = times.findIndex(([time]) => Math.abs(time - us) <= 1);
    const [time, duration] = times[at] ?? [us, USUAL_US];
    const beside = at >= 0 ? times[at + by] : undefined;
    if (beside) return beside[0];
    return by > 0 ? time + duration : time - duration;
  }
}
