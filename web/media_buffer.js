// @ts-check
// What a <video> plays of recordings (Media Source Extensions): each segment lies at the time it was recorded.

/** @typedef {import("./recordings.js").Segment} Segment */
/** @typedef {import("./reel.js").Range} Range */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const DAY_S = 86_400;
/** From its first second to its last: to what lies beyond nothing can be gone. */
const ROOM_S = 5 * DAY_S;
/** Before the moment that it is opened for. */
const BEFORE_S = 2 * DAY_S;
/** What reaches so little beyond what is wanted is left where it is, seconds. */
const LEFT_S = 5;

export class MediaBuffer {
  #video;
  /** @type {MediaSource | null} */
  #source = null;
  /** @type {SourceBuffer | null} */
  #buffer = null;
  /** The second, since 1970, at which the <video> has 0. */
  #origin = 0;
  /** Of what was appended last: its head need not be appended again. */
  #last = "";
  #mime = "";

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
  }

  /** Whether this browser has it. */
  static get isThere() {
    return sourceOf() !== undefined;
  }

  /** Whether this browser has a decoder for it.
   * @param {Segment} segment
   */
  static plays({ mime }) {
    return sourceOf()?.isTypeSupported(mime) ?? false;
  }

  get isOpen() {
    return this.#source?.readyState === "open";
  }

  get hasSound() {
    return /mp4a|opus/i.test(this.#mime);
  }

  /** Whether a moment lies in it.
   * @param {number} at
   */
  reaches(at) {
    return this.#source !== null && at > this.#origin + 3600 && at < this.#origin + ROOM_S - DAY_S;
  }

  /**
   * Begins anew, empty.
   *
   * @param {number} at a moment that lies in it
   * @param {() => void} then once it takes something
   */
  open(at, then) {
    this.close();
    const Source = sourceOf();
    if (!Source) return;
    this.#origin = Math.floor(at) - BEFORE_S;
    const source = (this.#source = new Source());
    const url = URL.createObjectURL(source);
    this.#video.src = url;
    source.addEventListener("sourceopen", () => {
      URL.revokeObjectURL(url);
      if (source !== this.#source) return;
      source.duration = ROOM_S; // else what lies beyond the first fragment cannot be gone to
      then();
    });
  }

  close() {
    this.forget();
    if (!this.#video.hasAttribute("src")) return;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  /** The <video> plays it no more, after an error. */
  forget() {
    [this.#source, this.#buffer, this.#last, this.#mime] = [null, null, "", ""];
  }

  /** Where the <video> is: seconds since 1970. */
  get at() {
    return this.timeOf(this.#video.currentTime);
  }

  set at(at) {
    this.#video.currentTime = at - this.#origin;
  }

  /** What a time of the <video> is in seconds since 1970.
   * @param {number} seconds
   */
  timeOf(seconds) {
    return this.#origin + seconds;
  }

  /** @returns {Range[]} what there is */
  get ranges() {
    const ranges = this.#buffer?.buffered;
    return Array.from({ length: ranges?.length ?? 0 }, (_, at) => [
      this.timeOf(ranges?.start(at) ?? 0),
      this.timeOf(ranges?.end(at) ?? 0),
    ]);
  }

  /**
   * @param {Segment} segment
   * @param {Bytes} init what stands before its fragments
   * @param {Bytes} bytes whole fragments
   * @returns {Promise<void>}
   * @throws {DOMException} QuotaExceededError: there is no room
   */
  async append(segment, init, bytes) {
    const source = this.#source;
    if (source?.readyState !== "open") return;
    const buffer = (this.#buffer ??= source.addSourceBuffer(segment.mime));
    if (this.#last !== segment.id) {
      if (this.#mime && this.#mime !== segment.mime) buffer.changeType(segment.mime);
      [this.#mime, this.#last] = [segment.mime, segment.id];
      buffer.timestampOffset = segment.began_at - this.#origin;
      await settled(buffer, () => buffer.appendBuffer(init));
    }
    await settled(buffer, () => buffer.appendBuffer(bytes));
  }

  /**
   * Lets go of what lies outside.
   *
   * @param {number} from
   * @param {number} to
   */
  async keep(from, to) {
    const buffer = this.#buffer;
    if (!buffer) return;
    for (const [first, last] of this.ranges) {
      if (first < from - LEFT_S) await this.#remove(buffer, first, Math.min(last, from));
      if (last > to + LEFT_S) await this.#remove(buffer, Math.max(first, to), last);
    }
  }

  /**
   * @param {SourceBuffer} buffer
   * @param {number} from
   * @param {number} to
   */
  async #remove(buffer, from, to) {
    if (to > from) await settled(buffer, () => buffer.remove(from - this.#origin, to - this.#origin));
  }
}

/** @returns {typeof MediaSource | undefined} */
function sourceOf() {
  return Reflect.get(window, "ManagedMediaSource") ?? Reflect.get(window, "MediaSource"); // Safari on phones has the first
}

/**
 * @param {SourceBuffer} buffer
 * @param {() => void} act
 * @returns {Promise<void>}
 */
function settled(buffer, act) {
  return new Promise((resolve, reject) => {
    act(); // which throws where there is no room
    buffer.addEventListener("updateend", () => resolve(), { once: true });
    buffer.addEventListener("error", () => reject(new Error("The browser cannot read the recording.")), { once: true });
  });
}
