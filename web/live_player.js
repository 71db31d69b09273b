// @ts-check
// A <video> that plays what is made as it is made (Media Source Extensions), close behind the newest picture.

import { lengthPrefixed, nalUnits, parameterSets } from "./avc.js";
import { fragment, head, mimeOf } from "./fragment.js";
import { FragmentTimeline } from "./fragment_timeline.js";

/** @typedef {import("./avc.js").Bytes} Bytes */
/** @typedef {import("./clean_wire.js").Form} Form */
/** @typedef {import("./clean_wire.js").Picture} Picture */
/** @typedef {{ onpicture: (picture: Picture, video: HTMLVideoElement) => void, onfail: (reason: string) => void }} Told */

/** What is further behind is gone to; what is a little behind is caught up with. */
const FAR_S = 0.4;
const NEAR_S = 0.06;
const HURRY = 1.25;
/** What has been shown is let go of, seconds; and how often. */
const KEPT_S = 4;
const TIDY_MS = 5000;
/** Fragments that wait for the player at most. */
const MOST_WAITING = 60;
const USUAL_RATE = 30;

export class LivePlayer {
  /** Pictures left out, since they came faster than they could be played. */
  dropped = 0;
  #video = document.createElement("video");
  #told;
  /** @type {FragmentTimeline<Picture>} */
  #timeline;
  /** @type {MediaSource | null} */
  #source = null;
  /** Of the source; revoked once the player has it, or wants it no more. */
  #url = "";
  /** @type {SourceBuffer | null} */
  #buffer = null;
  /** @type {Bytes[]} */
  #waiting = [];
  #number = 0;
  #needsKey = true;
  /** Parameter sets that stand in the player's head. */
  #sets = "";
  #mime = "";
  /** Where it is to be gone to once that is there, seconds of the player. */
  #wanted = -1;
  #tidiedAt = 0;

  /**
   * @param {HTMLElement} before what the <video> is put behind
   * @param {Form} form
   * @param {Told} told
   */
  constructor(before, { frame_rate, reorder }, told) {
    this.#told = told;
    this.#timeline = new FragmentTimeline(frame_rate || USUAL_RATE, reorder);
    const video = this.#video;
    video.className = "clean";
    Object.assign(video, { muted: true, playsInline: true, disableRemotePlayback: true, tabIndex: -1 });
    video.setAttribute("aria-hidden", "true");
    video.addEventListener("error", () => this.#fail("The browser’s player gave up"));
    before.after(video);
    this.#begin();
    this.#watch();
  }

  /** Whether this browser has it. */
  static get isThere() {
    return sourceOf() !== undefined;
  }

  /** @param {string} codec */
  static plays(codec) {
    return sourceOf()?.isTypeSupported(`video/mp4; codecs="${codec}"`) ?? false;
  }

  /**
   * @param {Picture[]} pictures
   * @param {boolean} remembered whether only the last of them is to be seen
   */
  add(pictures, remembered) {
    if (!remembered && this.#waiting.length > MOST_WAITING) this.#needsKey = true;
    for (const picture of pictures) this.#add(picture);
    if (remembered) this.#wanted = this.#timeline.end;
    this.#feed();
  }

  /** The next picture to be played is a key picture. */
  skip() {
    this.#needsKey = true;
  }

  close() {
    const source = this.#source;
    [this.#source, this.#buffer, this.#waiting] = [null, null, []];
    if (!source) return;
    URL.revokeObjectURL(this.#url);
    this.#video.removeAttribute("src");
    this.#video.load();
    this.#video.remove();
  }

  #begin() {
    const Source = sourceOf();
    if (!Source) return;
    const source = (this.#source = new Source());
    this.#video.src = this.#url = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      URL.revokeObjectURL(this.#url);
      if (source === this.#source) this.#feed();
    });
  }

  /** @param {Picture} picture */
  #add(picture) {
    if (this.#needsKey && !picture.key) {
      this.dropped++;
      return;
    }
    const nals = nalUnits(picture.data);
    const sets = picture.key ? parameterSets(nals) : null;
    if (this.#needsKey && this.#sets === "" && !sets) return;
    this.#needsKey = false;
    if (sets && this.#sets !== String([sets.sps, ...sets.pps])) {
      this.#sets = String([sets.sps, ...sets.pps]);
      this.#mime = mimeOf(sets);
      this.#waiting.push(head(sets));
    }
    const times = this.#timeline.next(picture.time, picture);
    this.#waiting.push(fragment(++this.#number, { ...times, key: picture.key }, lengthPrefixed(nals)));
  }

  #feed() {
    const source = this.#source;
    if (source?.readyState !== "open" || this.#waiting.length === 0) return;
    try {
      const buffer = (this.#buffer ??= this.#open(source));
      if (buffer.updating) return;
      const parts = this.#waiting.splice(0);
      buffer.appendBuffer(parts.length === 1 && parts[0] ? parts[0] : joined(parts));
    } catch (error) {
      this.#fail(`The browser’s player takes no more: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** @param {MediaSource} source */
  #open(source) {
    const buffer = source.addSourceBuffer(this.#mime);
    buffer.addEventListener("updateend", () => {
      if (buffer !== this.#buffer) return;
      this.#follow();
      if (!this.#tidy(buffer)) this.#feed();
    });
    buffer.addEventListener("error", () => this.#fail("The browser cannot read the camera’s video"));
    return buffer;
  }

  /** Stays close behind the newest. */
  #follow() {
    const video = this.#video;
    const { end } = this.#timeline;
    if (this.#wanted >= 0 || end - video.currentTime > FAR_S) {
      video.currentTime = Math.max(this.#wanted, end);
      this.#wanted = -1;
    }
    video.playbackRate = end - video.currentTime > NEAR_S ? HURRY : 1;
    if (video.paused) video.play().catch(() => {}); // what came in between says so itself
  }

  /**
   * @param {SourceBuffer} buffer
   * @returns {boolean} whether it is at it
   */
  #tidy(buffer) {
    const [now, until] = [performance.now(), this.#video.currentTime - KEPT_S];
    if (now - this.#tidiedAt < TIDY_MS || until <= 0 || buffer.buffered.length === 0) return false;
    this.#tidiedAt = now;
    if (buffer.buffered.start(0) >= until) return false;
    buffer.remove(0, until);
    return true;
  }

  #watch() {
    this.#video.requestVideoFrameCallback((_, { mediaTime }) => {
      if (!this.#source) return;
      const picture = this.#timeline.at(mediaTime);
      if (picture) this.#told.onpicture(picture, this.#video);
      this.#watch();
    });
  }

  /** @param {string} reason */
  #fail(reason) {
    if (!this.#source) return;
    this.#told.onfail(reason); // first: what is shown is taken over
    this.close();
  }
}

/** @param {Bytes[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @returns {typeof MediaSource | undefined} */
function sourceOf() {
  return Reflect.get(window, "ManagedMediaSource") ?? Reflect.get(window, "MediaSource"); // Safari on phones has the first
}
