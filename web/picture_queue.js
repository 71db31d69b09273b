// @ts-check
// The pictures that somebody gave, sent one after the other. Dispatches "change". No DOM.

import { Refusal } from "./request.js";
import { SentPicture } from "./sent_picture.js";

/** A list nobody could look through. */
const MOST = 60;
/** Where cameras leave no room now they may soon. */
const TRIES = 5;

export class PictureQueue extends EventTarget {
  /** @type {SentPicture[]} */
  pictures = [];
  /** A sentence on those that were not taken, or "". */
  missed = "";
  #model = "";
  #leaving = new AbortController();
  /** @type {SentPicture | null} */
  #sending = null;

  /** Which model is asked; "" for the service's own. Another one is asked of all. */
  get model() {
    return this.#model;
  }

  set model(name) {
    if (name === this.#model) return;
    this.#model = name;
    this.#stop();
    for (const picture of this.pictures) wait(picture);
    this.#go();
  }

  /** @param {SentPicture[]} pictures */
  add(pictures) {
    const room = MOST - this.pictures.length;
    this.pictures = [...this.pictures, ...pictures.slice(0, room)];
    this.missed =
      pictures.length > room ? `There is room for ${MOST} pictures; ${pictures.length - room} were left out.` : "";
    this.#go();
  }

  /** @param {SentPicture} picture */
  again(picture) {
    wait(picture);
    this.#go();
  }

  /** @param {SentPicture} picture */
  remove(picture) {
    this.pictures = this.pictures.filter((each) => each !== picture);
    this.missed = "";
    if (picture === this.#sending) this.#stop();
    this.#go();
  }

  clear() {
    [this.pictures, this.missed] = [[], ""];
    this.#stop();
    this.#changed();
  }

  #stop() {
    this.#leaving.abort();
    [this.#leaving, this.#sending] = [new AbortController(), null];
  }

  async #go() {
    this.#changed();
    const { signal } = this.#leaving;
    while (!this.#sending && !signal.aborted) {
      const next = this.pictures.find(({ state }) => state === "waiting");
      if (!next) return;
      this.#sending = next;
      await this.#send(next, signal);
      if (signal.aborted) return;
      this.#sending = null;
      this.#changed();
    }
  }

  /**
   * @param {SentPicture} picture
   * @param {AbortSignal} signal
   */
  async #send(picture, signal) {
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        return await picture.send(this.#model, signal, () => signal.aborted || this.#changed());
      } catch (error) {
        if (signal.aborted) return;
        const after = error instanceof Refusal && error.status === 503 && tries < TRIES ? error.retryAfterS : 0;
        picture.problem = /** @type {Error} */ (error).message;
        picture.state = after > 0 ? "waiting" : "failed";
        if (after === 0) return;
        this.#changed();
        await new Promise((resolve) => {
          window.setTimeout(resolve, after * 1000);
          signal.addEventListener("abort", resolve, { once: true });
        });
      }
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {SentPicture} picture */
function wait(picture) {
  [picture.state, picture.problem, picture.answer, picture.share] = ["waiting", "", null, 0];
}
