// @ts-check
// Recordings of one or two streams played in step: one time for all, which is that of the first that has a picture.

import { SAME } from "./reel.js";

/** @typedef {import("./recorded_video.js").RecordedVideo} RecordedVideo */

/** Two streams that are further apart than this jump together, seconds; nearer ones are brought together slowly. */
const JUMP_S = 0.4;
const APART_S = 0.02;
/** By how much one may run faster or slower for that. */
const PULL = 0.1;

export const RATES = [0.25, 0.5, 1, 2, 4, 8, 16];

/** Dispatches "change" when it plays, stops, or goes at another rate, and "time" as time goes by. */
export class Deck extends EventTarget {
  /** @type {RecordedVideo[]} */
  #videos = [];
  #at = 0;
  #rate = 1;
  #playing = false;
  #frame = 0;
  /** The time that was told of last. */
  #told = NaN;

  /** Seconds since 1970. */
  get at() {
    return this.#at;
  }

  get isPlaying() {
    return this.#playing;
  }

  get rate() {
    return this.#rate;
  }

  set rate(rate) {
    this.#rate = rate;
    for (const video of this.#videos) video.rate = rate;
    this.#changed();
  }

  get videos() {
    return this.#videos;
  }

  /** @param {RecordedVideo[]} videos */
  set videos(videos) {
    this.#videos = videos;
    for (const video of videos) {
      video.rate = this.#rate;
      video.seek(this.#at);
      video.addEventListener("picture", () => this.#stay(video));
    }
    this.#settle();
  }

  /** Whether one of them waits for what it is to show. */
  get isWaiting() {
    return this.#videos.some((video) => video.has(this.#at) && !video.isReady && !video.isAtEnd);
  }

  /** @param {number} at seconds since 1970 */
  seek(at) {
    this.#at = at;
    for (const video of this.#videos) video.seek(at);
    this.#tell();
  }

  play() {
    this.#playing = true;
    this.#settle();
  }

  pause() {
    this.#playing = false;
    const lead = this.#lead;
    if (lead) this.#at = lead.picture?.at ?? lead.at; // what is seen, which others show too
    for (const video of this.#videos) {
      video.pause();
      if (video !== lead) video.seek(this.#at);
    }
    this.#settle();
  }

  /** To the picture before or after the one that is shown.
   * @param {1 | -1} by
   */
  step(by) {
    if (this.#playing) this.pause();
    const lead = this.#lead ?? this.#videos[0];
    if (lead) this.seek(lead.neighbour(by));
  }

  close() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    for (const video of this.#videos) video.close();
    this.#videos = [];
    this.#playing = false;
  }

  /** The one whose time it is. */
  get #lead() {
    return this.#videos.find((video) => video.has(this.#at) && !video.isAtEnd);
  }

  /** What stands still stands at the time of the picture that is seen, and so do the others.
   * @param {RecordedVideo} video
   */
  #stay(video) {
    if (this.#playing || video !== this.#lead || video.isSeeking || !video.picture) return;
    const { at } = video.picture;
    if (Math.abs(at - this.#at) < SAME) return;
    this.#at = at;
    for (const other of this.#videos) if (other !== video) other.seek(at);
    this.#tell();
  }

  #settle() {
    this.#changed();
    if (this.#playing && this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#tick());
  }

  #tick() {
    this.#frame = 0;
    if (!this.#playing) return;
    const lead = this.#lead;
    if (lead) this.#follow(lead);
    else this.#jump();
    this.#tell();
    this.#frame = requestAnimationFrame(() => this.#tick());
  }

  /** @param {RecordedVideo} lead */
  #follow(lead) {
    const waiting = this.isWaiting && this.#videos.length > 1;
    if (lead.isReady) this.#at = Math.max(lead.at, 0);
    for (const video of this.#videos) {
      if (waiting ? video.isReady : !video.has(this.#at)) video.pause();
      else video.play();
      if (video !== lead && video.has(this.#at)) this.#align(video);
    }
  }

  /** @param {RecordedVideo} video */
  #align(video) {
    if (!video.isReady) return;
    const off = video.at - this.#at;
    if (Math.abs(off) > JUMP_S * Math.max(1, this.#rate)) video.seek(this.#at);
    else video.rate = Math.abs(off) < APART_S ? this.#rate : this.#rate * (off > 0 ? 1 - PULL : 1 + PULL);
  }

  /** Over what nobody has recorded. */
  #jump() {
    const next = this.#videos.map((video) => video.next(this.#at)).filter((at) => at !== null);
    if (next.length > 0) this.seek(Math.min(...next));
    else if (!this.#videos.some((video) => video.isGrowing)) this.pause();
  }

  #tell() {
    if (this.#at === this.#told) return;
    this.#told = this.#at;
    this.dispatchEvent(new Event("time"));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
