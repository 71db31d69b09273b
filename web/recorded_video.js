// @ts-check
// One stream's recordings in a <video>, whose clock is UTC: gaps are gaps, and every picture that is shown is known by its
// segment and its time within it.

import { BoxFetching } from "./box_fetching.js";
import { KnownPictures, USUAL_US } from "./known_pictures.js";
import { MediaBuffer } from "./media_buffer.js";
import { RecordedFiles } from "./recorded_files.js";
import { GROWN_MS, RecordedIndex } from "./recorded_index.js";
import { SAME, endOf, isIn } from "./reel.js";

/** @typedef {import("./recordings.js").Segment} Segment */
/** @typedef {import("./recordings.js").Span} Span */
/** @typedef {{ segment: Segment, us: number, at: number }} Picture us: from its segment's first; at: seconds since 1970 */

/** What is fetched ahead of what is shown, seconds of it at usual speed; more where it is faster. */
const AHEAD_S = 12;
/** What stays behind it, for steps back. */
const BEHIND_S = 20;
/** Where a browser has no room, a part of both does. */
const TIGHT = 4;
const RETRY_MS = 2000;
/** What is nearer to the next is no gap, and what is nearer to an end has reached it, seconds. */
const GAP_S = 0.05;
const END_S = 0.25;

/** Dispatches "picture" when one is shown, "change" when it may be ready, at its end, or failing. */
export class RecordedVideo extends EventTarget {
  /** What there is to be seen of the day, without its segments.
   * @type {Span[]}
   */
  spans = [];
  /** Why nothing is shown, a sentence; "" where nothing is wrong. */
  problem = "";
  /** @type {Picture | null} shown last */
  picture = null;
  #video;
  #buffer;
  #index;
  #files;
  #fetching;
  #pictures = new KnownPictures();
  /** Where it is to be; what is shown may lag behind. */
  #at = 0;
  #rate = 1;
  #asking = new AbortController();
  #feeding = false;
  #timer = 0;
  #closed = false;

  /**
   * @param {string} stream
   * @param {HTMLVideoElement} video whose content is this from now on
   */
  constructor(stream, video) {
    super();
    this.#video = video;
    this.#buffer = new MediaBuffer(video);
    this.#index = new RecordedIndex(stream);
    this.#files = new RecordedFiles(stream);
    this.#fetching = new BoxFetching(stream, () => this.picture && this.#tell("picture"));
    video.muted = true;
    video.playsInline = true;
    video.disableRemotePlayback = true;
    video.addEventListener("timeupdate", () => this.#feed());
    for (const word of ["seeked", "waiting", "playing", "canplay"])
      video.addEventListener(word, () => this.#tell("change"));
    video.addEventListener("error", () => {
      this.#buffer.forget(); // another moment begins anew
      this.#fail("The browser cannot decode the video of this time.");
    });
    this.#watch();
  }

  get boxes() {
    return this.#fetching.boxes;
  }

  get #reel() {
    return this.#index.reel;
  }

  // ---- where it is

  /** Seconds since 1970. */
  get at() {
    const isRunning = this.#buffer.isOpen && !this.#video.seeking && !this.#video.paused;
    return isRunning ? this.#buffer.at : this.#at;
  }

  /** Whether there is a picture at that time, as far as is known.
   * @param {number} at
   */
  has(at) {
    if (this.#reel.at(at)) return true;
    return !this.#index.knows(at) && this.spans.some(({ from, to }) => from <= at + SAME && at < to - SAME);
  }

  /** When the next picture comes that is not at this time; null where none is known of.
   * @param {number} at
   */
  next(at) {
    const known = this.#reel.after(at)?.began_at ?? Infinity;
    const next = Math.min(known, ...this.spans.map(({ from }) => from).filter((from) => from > at + SAME));
    return Number.isFinite(next) ? next : null;
  }

  /** Whether it may yet be recorded what comes next. */
  get isGrowing() {
    return this.#reel.isGrowing;
  }

  /** Whether it is on its way to another picture than the one that is seen. */
  get isSeeking() {
    return this.#video.seeking || !this.#buffer.isOpen;
  }

  /** Whether what is to be shown is there. */
  get isReady() {
    return !this.#video.seeking && this.#video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /** Whether nothing comes after what is shown without a gap. */
  get isAtEnd() {
    if (this.isReady || this.#video.seeking) return false;
    const segment = this.#reel.at(this.at) ?? this.#reel.at(this.at - END_S);
    if (!segment) return this.#index.knows(this.at);
    const end = endOf(segment);
    const next = this.#reel.at(end + 2 * SAME);
    const isGap = !next || next.began_at > end + GAP_S;
    return isGap && segment.ended_at !== null && this.at > end - END_S;
  }

  get hasSound() {
    return this.#buffer.hasSound;
  }

  // ---- what is done with it

  set muted(/** @type {boolean} */ muted) {
    this.#video.muted = muted;
  }

  set rate(/** @type {number} */ rate) {
    this.#rate = Math.max(rate, 1);
    if (this.#video.playbackRate !== rate) this.#video.playbackRate = rate;
  }

  play() {
    if (this.#video.paused) this.#video.play().catch(() => {}); // what came in between says so itself
  }

  pause() {
    if (this.#video.paused) return;
    this.#at = this.at;
    this.#video.pause();
  }

  /**
   * Has the picture of a moment shown.
   *
   * @param {number} at seconds since 1970
   */
  seek(at) {
    const isSame = at === this.#at; // what is under way is what it needs
    this.#at = at;
    if (!isSame && !isIn(at, this.#buffer.ranges)) {
      this.#asking.abort();
      this.#asking = new AbortController();
    }
    if (this.#buffer.reaches(at)) this.#move();
    else this.#open(at);
    this.#feed();
    this.#tell("change");
  }

  /**
   * The time of the picture before or after the one that is shown.
   *
   * @param {1 | -1} by
   * @returns {number} seconds since 1970
   */
  neighbour(by) {
    const shown = this.picture;
    if (!shown) return this.#at + (by * USUAL_US) / 1e6;
    const then = shown.segment.began_at + this.#pictures.beside(shown.segment.id, shown.us, by) / 1e6;
    if (this.#reel.at(then) || !this.#index.knows(then)) return then;
    if (by > 0) return this.#reel.after(then)?.began_at ?? then; // over a gap
    const before = this.#reel.before(then);
    return before ? endOf(before) - USUAL_US / 1e6 : then;
  }

  close() {
    this.#closed = true;
    window.clearTimeout(this.#timer);
    this.#asking.abort();
    this.#buffer.close();
  }

  // ---- what is shown

  /**
   * What is to be painted; from then on `picture` is what is to be seen on it. Where the browser has frames that say
   * their time that is certain, else it was told what is shown, and a later one may have taken its place.
   *
   * @returns {VideoFrame | HTMLVideoElement} a frame is to be closed
   */
  take() {
    const frame = frameOf(this.#video);
    const at = this.#buffer.timeOf((frame?.timestamp ?? 0) / 1e6);
    if (frame && this.picture && Math.abs(at - this.picture.at) < 2 * this.#rate) {
      this.picture = this.#shownAt(at) ?? this.picture;
      return frame;
    }
    frame?.close();
    return this.#video;
  }

  /** The boxes of the picture that is shown. */
  get shownBoxes() {
    if (!this.picture) return [];
    const { segment, us } = this.picture;
    const [last, next] = [this.#reel.before(segment.began_at), this.#reel.at(endOf(segment) + 2 * SAME)];
    return this.boxes.at(segment, us, { last, next });
  }

  #watch() {
    this.#video.requestVideoFrameCallback((_, { mediaTime }) => {
      if (this.#closed) return;
      this.picture = this.#shownAt(this.#buffer.timeOf(mediaTime)) ?? this.picture;
      if (this.picture) this.#tell("picture");
      this.#watch();
    });
  }

  /**
   * @param {number} at
   * @returns {Picture | null}
   */
  #shownAt(at) {
    const segment = this.#reel.at(at);
    if (!segment) return null;
    const [us] = this.#pictures.at(segment, at) ?? [Math.round((at - segment.began_at) * 1e6)];
    return { segment, us, at: segment.began_at + us / 1e6 };
  }

  /** @param {number} at */
  #open(at) {
    if (!MediaBuffer.isThere) return this.#fail("This browser has no player for recordings (Media Source Extensions).");
    this.picture = null;
    this.#pictures.clear();
    this.#buffer.open(at, () => {
      this.#move();
      this.#feed();
    });
  }

  #move() {
    const segment = this.#reel.at(this.#at);
    const picture = segment && this.#pictures.at(segment, this.#at);
    // Into the midst of a picture: on its edge rounding would decide which one it is.
    this.#buffer.at = picture ? segment.began_at + (picture[0] + picture[1] / 2) / 1e6 : this.#at;
  }

  // ---- what is fetched

  /** Fetches what is missing, one piece after the other.
   * @returns {Promise<void>}
   */
  async #feed() {
    window.clearTimeout(this.#timer);
    if (this.#feeding || this.#closed) return;
    this.#feeding = true;
    let hasFailed = false;
    const { signal } = this.#asking;
    try {
      while (await this.#feedOne());
      if (this.problem !== "") this.#fail("");
    } catch (error) {
      hasFailed = !this.#closed && /** @type {Error} */ (error).name !== "AbortError";
      if (hasFailed) this.#fail(/** @type {Error} */ (error).message);
    } finally {
      this.#feeding = false;
    }
    if (this.#closed) return;
    if (signal.aborted) return this.#feed(); // another time is wanted meanwhile
    this.#timer = window.setTimeout(() => this.#feed(), hasFailed ? RETRY_MS : GROWN_MS);
  }

  /** @returns {Promise<boolean>} whether it may be that more is missing */
  async #feedOne() {
    const { signal } = this.#asking;
    const [at, ahead] = [this.at, AHEAD_S * this.#rate];
    if (!this.#buffer.isOpen) return false;
    if (await this.#index.ask(at, at + ahead, signal)) this.#tell("change");
    this.#fetching.want(this.#around(at));
    const piece = this.#reel.missing(at, ahead, this.#buffer.ranges);
    if (!piece || signal.aborted) return signal.aborted && !this.#closed;
    if (!MediaBuffer.plays(piece.segment)) throw new Error(unplayable(piece.segment));
    const [init, bytes] = await this.#files.fetch(piece, signal);
    if (signal.aborted || this.#closed) return !this.#closed;
    this.#pictures.note(piece.segment.id, init, bytes);
    await this.#append(piece.segment, init, bytes);
    await this.#letGo();
    return true;
  }

  /**
   * @param {Segment} segment
   * @param {Uint8Array<ArrayBuffer>} init
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  async #append(segment, init, bytes) {
    await this.#buffer.append(segment, init, bytes).catch(async (error) => {
      if (error.name !== "QuotaExceededError") throw error;
      await this.#letGo(TIGHT);
      await this.#buffer.append(segment, init, bytes);
    });
    // Now that its pictures are known, the very one that is wanted is gone to.
    const isHere = this.#reel.at(this.#at)?.id === segment.id && Math.abs(this.#buffer.at - this.#at) < SAME;
    if (isHere && (this.#video.seeking || this.#video.paused)) this.#move();
  }

  /** Lets go of what is far from what is shown.
   * @param {number} [tight] of the room it may take, the part
   */
  async #letGo(tight = 1) {
    const ids = this.#around(this.at).map(({ id }) => id);
    this.#pictures.keep(ids);
    this.#files.keep(ids);
    await this.#buffer.keep(this.at - BEHIND_S / tight, this.at + (2 * AHEAD_S * this.#rate) / tight);
  }

  /** What is shown, and what comes before and after it.
   * @param {number} at
   * @returns {Segment[]}
   */
  #around(at) {
    const now = this.#reel.at(at);
    const from = now?.began_at ?? at;
    return [this.#reel.before(from), now, this.#reel.after(from)].filter((each) => each !== undefined);
  }

  /** @param {string} problem */
  #fail(problem) {
    this.problem = problem;
    this.#tell("change");
  }

  /** @param {"picture" | "change"} what */
  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

/** @param {HTMLVideoElement} video */
function frameOf(video) {
  if (typeof VideoFrame === "undefined") return null; // pages that are not secure have none
  try {
    return new VideoFrame(video);
  } catch {
    return null; // there is no picture yet
  }
}

/** @param {Segment} segment */
function unplayable({ codec }) {
  const word = { hevc: "H.265", mjpeg: "Motion JPEG" }[codec] ?? codec;
  return `This browser cannot play ${word}. Other players can: save a clip, and open it in one of them.`;
}
