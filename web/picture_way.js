// @ts-check
// Live pictures with their boxes drawn by the server, over plain HTTP: MJPEG, or stills where the browser has no more
// connections. The last of the ways: it is never given up, but tried again.

import { PictureSlots, pollPictures, streamPictures } from "./pictures.js";

/** @typedef {import("./player.js").Heard} Heard */
/** @typedef {import("./player.js").Way} Way */

const RETRY_MS = [1000, 2000, 4000, 8000];
const LONGEST_RETRY_MS = 15_000;
const NO_FRAME_MS = 3000;

/** Shared by all players of the page, because the browser's connections are. */
const slots = new PictureSlots();

/** @implements {Way} */
export class PictureWay {
  /** @type {"mjpeg" | "stills"} */
  transport = "stills";
  name = "MJPEG";
  #urls;
  #paint;
  #heard;
  #holdsSlot = false;
  #isOpen = false;
  #failures = 0;
  #retryAt = Infinity;
  #lastAt = 0;
  /** @type {(() => void) | null} */
  #close = null;

  /**
   * @param {{ mjpeg: string, still: string }} urls
   * @param {(picture: ImageBitmap) => void} paint
   * @param {Heard} heard
   */
  constructor(urls, paint, heard) {
    this.#urls = urls;
    this.#paint = paint;
    this.#heard = heard;
  }

  /** What is painted stays where it is. */
  picture = null;

  open() {
    this.#isOpen = true;
    this.#begin();
  }

  close() {
    this.#isOpen = false;
    this.#end();
  }

  /** Whether it failed, do not wait for the next attempt's turn. */
  retry() {
    this.#failures = 0;
    if (this.#retryAt !== Infinity) this.#retryAt = 0;
  }

  /**
   * @param {number} now
   * @param {boolean} expecting whether pictures ought to be coming
   */
  tick(now, expecting) {
    if (!this.#isOpen) return;
    if (this.#close && this.transport === "stills" && slots.take()) {
      slots.give();
      this.#begin();
    } else if (this.#close && this.transport === "mjpeg" && expecting && now - this.#lastAt > NO_FRAME_MS) {
      this.#failed("The picture stream stopped");
    } else if (now >= this.#retryAt) {
      this.#begin();
    }
  }

  async measure() {
    return null;
  }

  #begin() {
    this.#end();
    this.#lastAt = performance.now();
    this.#holdsSlot = slots.take();
    this.transport = this.#holdsSlot ? "mjpeg" : "stills";
    const [read, url] = this.#holdsSlot ? [streamPictures, this.#urls.mjpeg] : [pollPictures, this.#urls.still];
    this.#close = read(
      url,
      (picture) => {
        this.#paint(picture);
        this.#lastAt = performance.now();
        this.#failures = 0;
        this.#heard.onframe(1);
      },
      (reason) => this.#failed(reason),
    );
  }

  #end() {
    this.#close?.();
    this.#close = null;
    this.#retryAt = Infinity;
    if (this.#holdsSlot) slots.give();
    this.#holdsSlot = false;
  }

  /** @param {string} reason */
  #failed(reason) {
    this.#end();
    this.#retryAt = performance.now() + (RETRY_MS[this.#failures++] ?? LONGEST_RETRY_MS);
    this.#heard.onfail(reason);
  }
}
