// @ts-check
// One stream's recordings in a <video>, whose clock is UTC: each segment lies at the time it was recorded, so that gaps
// are gaps, and every picture that is shown is known by its segment and its time within it.

import { pictureTimes, pictureTrack } from "./picture_times.js";
import { Reel, SAME, endOf, isIn } from "./reel.js";
import { boxesOf, fileOf, index, initOf } from "./recordings.js";
import { RecordedBoxes } from "./recorded_boxes.js";

/** @typedef {import("./recordings.js").Segment} Segment */
/** @typedef {import("./recordings.js").Span} Span */
/** @typedef {import("./reel.js").Piece} Piece */
/** @typedef {import("./reel.js").Range} Range */
/** @typedef {{ segment: Segment, us: number, at: number }} Picture us: from its segment's first; at: seconds since 1970 */
/** @typedef {typeof MediaSource} Source */

/** What is fetched ahead of what is shown, seconds of it at usual speed; more where it is faster. */
const AHEAD_S = 12;
/** What stays behind it, for steps back. */
const BEHIND_S = 20;
/** The index is asked for so much at once, before and after. */
const INDEX_BEFORE_S = 90;
const INDEX_AFTER_S = 420;
/** How long ago the index was asked where more may have been recorded since. */
const GROWN_MS = 1500;
/** Where nothing says how long a picture is shown. */
const USUAL_PICTURE_S = 0.04;
const RETRY_MS = 2000;
/** The clock of a <video> and that of an index are rounded each for themselves, microseconds. */
const ROUNDED_US = 1000;
const DAY_S = 86_400;

/** Dispatches "picture" when one is shown, "change" when what `state` says may have changed. */
export class RecordedVideo extends EventTarget {
  /** What there is to be seen of the day, without its segments.
   * @type {Span[]}
   */
  spans = [];
  boxes = new RecordedBoxes();
  /** Why nothing is shown, a sentence; "" where nothing is wrong. */
  problem = "";
  /** @type {Picture | null} shown last */
  picture = null;
  #stream;
  #reel = new Reel();
  #video;
  /** @type {MediaSource | null} */
  #source = null;
  /** @type {SourceBuffer | null} */
  #buffer = null;
  /** The second at which the <video> has 0. */
  #origin = 0;
  /** Where it is to be; what is shown may lag behind. */
  #at = 0;
  #rate = 1;
  /** What the index said last: of when, and when. */
  #known = { from: 0, to: 0, askedAt: -Infinity };
  /** Appended last, whose head need not be appended again. */
  #last = "";
  #mime = "";
  /** @type {Map<string, Promise<Uint8Array<ArrayBuffer>>>} */
  #inits = new Map();
  /** @type {Map<string, [timeUs: number, durationUs: number][]>} pictures that were fetched, by segment */
  #pictures = new Map();
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
    this.#stream = stream;
    this.#video = video;
    video.muted = true;
    video.playsInline = true;
    video.disableRemotePlayback = true;
    video.addEventListener("timeupdate", () => this.#feed());
    video.addEventListener("seeked", () => this.#changed());
    for (const word of ["waiting", "playing", "canplay"]) video.addEventListener(word, () => this.#changed());
    video.addEventListener("error", () => {
      this.#source = null; // it plays nothing any more: another moment begins anew
      this.#fail("The browser cannot decode the video of this time.");
    });
    this.#watch();
  }

  get stream() {
    return this.#stream;
  }

  /** Where it is: seconds since 1970. */
  get at() {
    const running = this.#source && !this.#video.seeking && !this.#video.paused;
    return running ? this.#origin + this.#video.currentTime : this.#at;
  }

  /** Whether there is a picture at that time, as far as is known.
   * @param {number} at
   */
  has(at) {
    return this.#reel.at(at) !== undefined || (!this.#knows(at, at) && this.spans.some((each) => isOf(each, at)));
  }

  /** When the next picture comes that is not at this time; null where none is known of.
   * @param {number} at
   */
  next(at) {
    const known = this.#reel.after(at)?.began_at ?? Infinity;
    const spans = this.spans.map(({ from }) => from).filter((from) => from > at + SAME);
    const next = Math.min(known, ...spans);
    return Number.isFinite(next) ? next : null;
  }

  /** Whether it may yet be recorded what comes next. */
  get isGrowing() {
    return this.#reel.isGrowing;
  }

  /** Whether it is on its way to another picture than the one that is seen. */
  get isSeeking() {
    return this.#video.seeking || this.#source?.readyState !== "open";
  }

  /** Whether what is to be shown is there. */
  get isReady() {
    return !this.#video.seeking && this.#video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /** Whether nothing comes after what is shown without a gap. */
  get isAtEnd() {
    if (this.isReady || this.#video.seeking) return false;
    const segment = this.#reel.at(this.at) ?? this.#reel.at(this.at - 0.25);
    if (!segment) return this.#knows(this.at, this.at);
    const end = endOf(segment);
    const next = this.#reel.at(end + 2 * SAME);
    const gap = !next || next.began_at > end + 0.05;
    return gap && segment.ended_at !== null && this.at > end - 0.25;
  }

  get hasSound() {
    return /mp4a|opus/.test(this.#mime);
  }

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
    const same = at === this.#at; // of which what is under way is fetched already
    this.#at = at;
    if (!same && !isIn(at, this.#buffered)) {
      this.#asking.abort(); // what is under way is of another time
      this.#asking = new AbortController();
    }
    if (!this.#source || at < this.#origin + DAY_S / 24 || at > this.#origin + 4 * DAY_S) this.#open(at);
    else this.#move();
    this.#feed();
    this.#changed();
  }

  /**
   * The time of the picture before or after the one that is shown.
   *
   * @param {1 | -1} by
   * @returns {number} seconds since 1970
   */
  neighbour(by) {
    const shown = this.picture;
    if (!shown) return this.#at + by * USUAL_PICTURE_S;
    const times = this.#pictures.get(shown.segment.id) ?? [];
    const at = times.findIndex(([time]) => Math.abs(time - shown.us) <= 1);
    const [time, duration] = times[at] ?? [shown.us, USUAL_PICTURE_S * 1e6];
    const beside = times[at + by];
    const us = at >= 0 && beside ? beside[0] : by > 0 ? time + duration : time - duration;
    const then = shown.segment.began_at + us / 1e6;
    if (this.#reel.at(then) || !this.#knows(then, then)) return then;
    const { began_at = then } = (by > 0 ? this.#reel.after(then) : undefined) ?? {}; // over a gap
    const before = by < 0 ? this.#reel.before(then) : undefined;
    return before ? endOf(before) - USUAL_PICTURE_S : began_at;
  }

  /**
   * What is to be painted; from then on `picture` is what is to be seen on it. Where the browser has frames that say
   * their time that is certain, else it was told what is shown, and a later one may have taken its place.
   *
   * @returns {VideoFrame | HTMLVideoElement} a frame is to be closed
   */
  take() {
    const frame = typeof VideoFrame === "undefined" ? null : frameOf(this.#video); // not on pages that are not secure
    const at = this.#origin + (frame?.timestamp ?? 0) / 1e6;
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
    const last = this.#reel.before(segment.began_at);
    return this.boxes.at(segment, us, { last, next: this.#reel.at(endOf(segment) + 2 * SAME) });
  }

  /** What the index says from now on is asked anew. */
  refresh() {
    this.#known.askedAt = -Infinity;
    this.#feed();
  }

  close() {
    this.#closed = true;
    window.clearTimeout(this.#timer);
    this.#asking.abort();
    this.#empty();
  }

  // ---- the <video>

  /** @param {number} at */
  #open(at) {
    this.#empty();
    const Source = /** @type {Source | undefined} */ (
      Reflect.get(window, "ManagedMediaSource") ?? Reflect.get(window, "MediaSource")
    );
    if (!Source) return this.#fail("This browser has no player for recordings (Media Source Extensions).");
    this.#origin = Math.floor(at) - 2 * DAY_S;
    const source = (this.#source = new Source());
    this.#video.src = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      URL.revokeObjectURL(this.#video.src);
      if (source !== this.#source) return;
      source.duration = 5 * DAY_S; // else what lies beyond the first fragment cannot be gone to
      this.#move();
      this.#feed();
    });
  }

  #empty() {
    [this.#source, this.#buffer, this.#last, this.#mime] = [null, null, "", ""];
    this.picture = null;
    this.#pictures.clear();
    if (!this.#video.hasAttribute("src")) return;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #move() {
    const known = this.#reel.at(this.#at);
    const within = known && this.#pictureAt(this.#at);
    // In the midst of a picture: on its edge rounding would decide which one it is.
    const at = within ? known.began_at + (within[0] + within[1] / 2) / 1e6 : this.#at;
    this.#video.currentTime = at - this.#origin;
  }

  #watch() {
    this.#video.requestVideoFrameCallback((_, { mediaTime }) => {
      if (this.#closed) return;
      this.#show(this.#origin + mediaTime);
      this.#watch();
    });
  }

  /** @param {number} at of the picture that is painted now */
  #show(at) {
    this.picture = this.#shownAt(at) ?? this.picture;
    if (this.picture) this.dispatchEvent(new Event("picture"));
  }

  /**
   * @param {number} at
   * @returns {Picture | null}
   */
  #shownAt(at) {
    const segment = this.#reel.at(at);
    if (!segment) return null;
    const [us] = this.#pictureAt(at) ?? [Math.round((at - segment.began_at) * 1e6)];
    return { segment, us, at: segment.began_at + us / 1e6 };
  }

  /**
   * The picture that is shown at that time, from its segment's first.
   *
   * @param {number} at
   */
  #pictureAt(at) {
    const segment = this.#reel.at(at);
    const us = segment ? (at - segment.began_at) * 1e6 : 0;
    const found = this.#pictures.get(segment?.id ?? "")?.findLast(([time]) => time <= us + ROUNDED_US);
    return found && us < found[0] + found[1] + ROUNDED_US ? found : undefined; // of what was fetched
  }

  // ---- feeding it

  /** Fetches what is missing, one piece after the other.
   * @returns {Promise<void>}
   */
  async #feed() {
    window.clearTimeout(this.#timer);
    if (this.#feeding || this.#closed) return;
    this.#feeding = true;
    let failed = false;
    const { signal } = this.#asking;
    try {
      while (await this.#feedOne());
      if (this.problem !== "") this.#fail("");
    } catch (error) {
      failed = !this.#closed && /** @type {Error} */ (error).name !== "AbortError";
      if (failed) this.#fail(/** @type {Error} */ (error).message);
    } finally {
      this.#feeding = false;
    }
    if (this.#closed) return;
    if (signal.aborted) return this.#feed(); // another time is wanted meanwhile
    const again = failed ? RETRY_MS : GROWN_MS;
    this.#timer = window.setTimeout(() => this.#feed(), again);
  }

  /** @returns {Promise<boolean>} whether it may be that more is missing */
  async #feedOne() {
    const { signal } = this.#asking;
    const [at, ahead] = [this.at, AHEAD_S * this.#rate];
    if (this.#source?.readyState !== "open") return false;
    await this.#ask(at, at + ahead, signal);
    const piece = this.#reel.missing(at, ahead, this.#buffered);
    this.#wantBoxes(at);
    if (!piece || signal !== this.#asking.signal) return signal !== this.#asking.signal;
    if (!isPlayable(piece.segment)) throw new Error(unplayable(piece.segment));
    const [init, bytes] = await Promise.all([this.#initOf(piece.segment), this.#bytesOf(piece, signal)]);
    if (signal.aborted || this.#closed) return !this.#closed;
    await this.#append(piece, init, bytes);
    await this.#letGo();
    return true;
  }

  /**
   * Has the index of a stretch.
   *
   * @param {number} from
   * @param {number} to
   * @param {AbortSignal} signal
   */
  async #ask(from, to, signal) {
    const grown = to > this.#end && performance.now() - this.#known.askedAt > GROWN_MS;
    if (this.#knows(from, to) && !grown) return;
    const near = this.#knows(from, from);
    const begin = near ? Math.max(from - 5, this.#known.from) : from - INDEX_BEFORE_S;
    const askedAt = performance.now();
    const found = await index(this.#stream, begin, from + INDEX_AFTER_S, "fragments", signal);
    this.#reel.take(found.segments);
    this.#reel.trim(from);
    const end = found.more ?? found.to;
    this.#known = { from: near ? this.#known.from : begin, to: end, askedAt };
    this.#changed();
  }

  /** Up to where nothing more can come: what is younger may not be written yet. */
  get #end() {
    return Math.min(this.#known.to, Date.now() / 1000 - 130);
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  #knows(from, to) {
    return this.#known.from <= from && to <= this.#known.to;
  }

  /** @returns {Range[]} seconds since 1970 */
  get #buffered() {
    const ranges = this.#buffer?.buffered;
    return Array.from({ length: ranges?.length ?? 0 }, (_, at) => [
      this.#origin + (ranges?.start(at) ?? 0),
      this.#origin + (ranges?.end(at) ?? 0),
    ]);
  }

  /** @param {Segment} segment */
  #initOf(segment) {
    const known = this.#inits.get(segment.id) ?? bytesAt(initOf(this.#stream, segment.id));
    this.#inits.set(segment.id, known);
    known.catch(() => this.#inits.delete(segment.id));
    return known;
  }

  /**
   * @param {Piece} piece
   * @param {AbortSignal} signal
   */
  #bytesOf({ segment, offset, size }, signal) {
    const kept = segment.ended_at !== null; // a file that grows is another one to a browser's cache each time
    return bytesAt(fileOf(this.#stream, segment.id), { signal, offset, size, cache: kept ? "default" : "no-store" });
  }

  /**
   * @param {Piece} piece
   * @param {Uint8Array<ArrayBuffer>} init
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  async #append({ segment }, init, bytes) {
    const source = this.#source;
    if (source?.readyState !== "open") return;
    this.#buffer ??= source.addSourceBuffer(segment.mime);
    const buffer = this.#buffer;
    if (this.#last !== segment.id) {
      if (this.#mime && this.#mime !== segment.mime) buffer.changeType(segment.mime);
      [this.#mime, this.#last] = [segment.mime, segment.id];
      buffer.timestampOffset = segment.began_at - this.#origin;
      await taken(buffer, init);
    }
    this.#note(segment, init, bytes);
    await taken(buffer, bytes).catch(async (error) => {
      if (error.name !== "QuotaExceededError") throw error;
      await this.#letGo(4);
      await taken(buffer, bytes);
    });
    if (this.#video.seeking || this.#video.paused) this.#settle(segment);
  }

  /** Now that its pictures are known, the very one that is wanted is gone to.
   * @param {Segment} segment
   */
  #settle(segment) {
    const wanted = this.#reel.at(this.#at);
    const off = Math.abs(this.#video.currentTime + this.#origin - this.#at);
    if (wanted?.id === segment.id && off > 0 && off < SAME && this.#pictureAt(this.#at)) this.#move();
  }

  /**
   * @param {Segment} segment
   * @param {Uint8Array} init
   * @param {Uint8Array} bytes
   */
  #note(segment, init, bytes) {
    const track = pictureTrack(init);
    if (!track) return;
    const known = new Map(this.#pictures.get(segment.id));
    for (const [time, duration] of pictureTimes(bytes, track)) known.set(time, duration);
    this.#pictures.set(
      segment.id,
      [...known].sort(([a], [b]) => a - b),
    );
  }

  /** Lets go of what is far from what is shown.
   * @param {number} [share] of the room that is left, for a browser that has none
   */
  async #letGo(share = 1) {
    const buffer = this.#buffer;
    if (!buffer) return;
    const now = this.at - this.#origin;
    const [from, to] = [now - BEHIND_S / share, now + (2 * AHEAD_S * this.#rate) / share];
    for (const [begin, end] of this.#buffered) {
      const [first, last] = [begin - this.#origin, end - this.#origin];
      if (first < from - 5) await removed(buffer, first, Math.min(last, from));
      if (last > to + 5) await removed(buffer, Math.max(first, to), last);
    }
    const near = [this.#reel.at(this.at), this.#reel.after(this.at), this.#reel.before(this.at)];
    const ids = near.map((each) => each?.id ?? "");
    for (const id of this.#pictures.keys()) if (!ids.includes(id)) this.#pictures.delete(id);
    for (const id of this.#inits.keys()) if (!ids.includes(id)) this.#inits.delete(id);
  }

  /** Fetches the boxes of what is shown, and of what comes next.
   * @param {number} at
   */
  #wantBoxes(at) {
    const now = this.#reel.at(at);
    const next = this.#reel.after(now ? now.began_at : at);
    const last = this.#reel.before(now ? now.began_at : at);
    const wanted = [last, now, next].filter((each) => each !== undefined);
    this.boxes.keep(wanted.map(({ id }) => id));
    for (const segment of wanted) this.#fetchBoxes(segment);
  }

  /** @type {Map<string, number>} when boxes were last asked for, by segment */
  #boxesAskedAt = new Map();

  /** @param {Segment} segment */
  async #fetchBoxes({ id, ended_at }) {
    const asked = this.#boxesAskedAt.get(id) ?? -Infinity;
    const fresh = ended_at !== null ? Infinity : GROWN_MS;
    if (this.boxes.has(id) && performance.now() - asked < fresh) return;
    if (performance.now() - asked < GROWN_MS) return;
    this.#boxesAskedAt.set(id, performance.now());
    const columns = await boxesOf(this.#stream, id).catch(() => null); // the video is worth seeing without
    if (!columns || this.#closed) return;
    this.boxes.take(id, columns);
    this.#changed();
    if (this.picture) this.dispatchEvent(new Event("picture"));
  }

  /** @param {string} problem */
  #fail(problem) {
    this.problem = problem;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {string} path
 * @param {{ offset?: number, size?: number } & RequestInit} [part] of it; the whole where there is no size
 */
async function bytesAt(path, { offset = 0, size = 0, ...init } = {}) {
  const headers = size > 0 ? { Range: `bytes=${offset}-${offset + size - 1}` } : undefined;
  const response = await fetch(path, { ...init, ...(headers ? { headers } : {}) });
  if (!response.ok) throw new Error(`A part of the recording cannot be had: the server answered ${response.status}.`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return size > 0 && response.status === 200 ? bytes.slice(offset, offset + size) : bytes; // who knows no ranges sends all
}

/**
 * @param {SourceBuffer} buffer
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
async function taken(buffer, bytes) {
  const done = settled(buffer);
  buffer.appendBuffer(bytes);
  await done;
}

/**
 * @param {SourceBuffer} buffer
 * @param {number} from
 * @param {number} to
 */
async function removed(buffer, from, to) {
  if (to <= from) return;
  const done = settled(buffer);
  buffer.remove(from, to);
  await done;
}

/**
 * @param {SourceBuffer} buffer
 * @returns {Promise<void>}
 */
function settled(buffer) {
  return new Promise((resolve, reject) => {
    buffer.addEventListener("updateend", () => resolve(), { once: true });
    buffer.addEventListener("error", () => reject(new Error("The browser cannot read the recording.")), { once: true });
  });
}

/** @param {HTMLVideoElement} video */
function frameOf(video) {
  try {
    return new VideoFrame(video);
  } catch {
    return null; // there is none yet
  }
}

/** @param {Segment} segment */
function isPlayable({ mime }) {
  return MediaSource.isTypeSupported(mime);
}

/** @param {Segment} segment */
function unplayable({ codec }) {
  const word = { hevc: "H.265", mjpeg: "Motion JPEG" }[codec] ?? codec;
  return `This browser cannot play ${word}. Other players can: save a clip, and open it in one of them.`;
}

/**
 * @param {Span} span
 * @param {number} at
 */
function isOf({ from, to }, at) {
  return from <= at + SAME && at < to - SAME;
}
