// @ts-check
// One picture that somebody gave: its file, what became of it, and its pixels, upright.

import { detect } from "./detecting.js";
import { kindOf, liesOnItsSide, untold } from "./plain_picture.js";
import { Refusal } from "./request.js";

/** @typedef {import("./detecting.js").Answer} Answer */
/** @typedef {import("./detecting.js").Looked} Looked */
/** @typedef {"waiting" | "sending" | "looking" | "done" | "failed"} State */
/**
 * @typedef {object} Pixels
 * @property {ImageBitmap} bitmap as they lie in the file, maybe fewer
 * @property {number} orientation by which they are to be turned
 * @property {{ width: number, height: number }} size upright, of the picture
 */

/** Of one that the server takes. */
const MAX_BYTES = 32 << 20;
/** What scores less is not asked for: there is no end of it. */
const LEAST = 0.05;

export class SentPicture {
  /** @type {State} */
  state = "waiting";
  /** How much of it has been sent, 0 to 1. */
  share = 0;
  /** A sentence: why it failed, or what it waits for. */
  problem = "";
  /** @type {Answer | null} */
  answer = null;

  /**
   * @param {File} file
   * @param {string} [name] what it is called, where its file is not called after it
   */
  constructor(file, name = file.name) {
    this.file = file;
    this.name = name;
  }

  /** @returns {Looked | null} what was found in it */
  get looked() {
    return this.answer?.pictures[0] ?? null;
  }

  /**
   * Has it looked at.
   *
   * @param {string} model "" for the service's own
   * @param {AbortSignal} signal
   * @param {() => void} onchange
   * @throws {Refusal}
   */
  async send(model, signal, onchange) {
    [this.answer, this.problem, this.share] = [null, "", 0];
    this.#become("sending", onchange);
    const kind = kindOf(await this.#bytes(16));
    signal.throwIfAborted();
    if (kind === "") throw new Refusal("This is no picture that is read here: JPEG, PNG and WebP are.");
    if (this.file.size > MAX_BYTES)
      throw new Refusal(`A picture may have 32 MiB; this one has ${mib(this.file.size)}.`);
    /** @param {number} share */
    const onsent = (share) => {
      this.share = share;
      this.#become(share < 1 ? "sending" : "looking", onchange);
    };
    this.answer = await detect(this.file, kind, { model, min_score: LEAST }, { signal, onsent });
    this.#become("done", onchange);
  }

  /**
   * Until the server has said how it is to be turned: as this browser takes it.
   *
   * @param {number} longest pixels of its longer side, at the most
   * @returns {Promise<Pixels>}
   * @throws {Error} where this browser cannot decode it
   */
  async pixels(longest) {
    const { looked } = this;
    if (!looked) {
      const bitmap = await createImageBitmap(this.file, { resizeWidth: longest, resizeQuality: "high" });
      return { bitmap, orientation: 1, size: { width: bitmap.width, height: bitmap.height } };
    }
    const { width, height, orientation } = looked;
    const parts = untold(await this.#bytes());
    const across = width > height === !liesOnItsSide(orientation);
    const side = across ? "resizeWidth" : "resizeHeight";
    const fewer =
      Math.max(width, height) > longest ? { [side]: longest, resizeQuality: /** @type {const} */ ("high") } : {};
    const bitmap = await createImageBitmap(new Blob(parts, { type: this.file.type }), fewer);
    return { bitmap, orientation, size: { width, height } };
  }

  /** @param {number} [length] of its beginning; all without */
  async #bytes(length) {
    const part = length === undefined ? this.file : this.file.slice(0, length);
    return new Uint8Array(
      await part.arrayBuffer().catch(() => {
        throw new Refusal("It cannot be read: it is a folder, or is there no more.");
      }),
    );
  }

  /**
   * @param {State} state
   * @param {() => void} onchange
   */
  #become(state, onchange) {
    this.state = state;
    onchange();
  }
}

/** @param {number} bytes */
function mib(bytes) {
  return `${(bytes / (1 << 20)).toFixed(bytes < 100 << 20 ? 1 : 0)} MiB`;
}
