// @ts-check
// <scrub-picture>: what a moment of a recording looked like, above the place that is pointed at.

import { briefly } from "./clock.js";
import { element } from "./details.js";
import { thumbnailOf } from "./recordings.js";
import { clockAt } from "./time_axis.js";
import { howLong } from "./verdict.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {{ stream: string, at: number, isRecorded: boolean, event: KeptEvent | undefined, grain: number }} Peek grain: seconds that are as good as one */

/** The last picture of what is recorded is so far from its end, seconds. */
export const PEEK_S = 0.5;

export class ScrubPicture extends HTMLElement {
  #image = /** @type {HTMLImageElement} */ (element("img", ""));
  #words = element("p", "");
  /** What is to be seen; asked for once the one before is there: of those in between nobody asks. */
  #wanted = "";
  #busy = false;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.setAttribute("aria-hidden", "true");
    this.hidden = true;
    this.#image.alt = "";
    this.append(this.#image, this.#words);
    this.#image.addEventListener("load", () => this.#loaded(true));
    this.#image.addEventListener("error", () => this.#loaded(false));
  }

  /**
   * @param {Peek} peek
   * @param {number} x where it points at, CSS pixels from the left of what it is in
   */
  show({ stream, at, isRecorded, event, grain }, x) {
    this.hidden = false;
    const nothing = isRecorded ? "" : "not recorded";
    const seen = event ? `${event.label}, ${briefly(event.began_at)}, ${howLong(event)}` : clockAt(at, true);
    this.#words.textContent = [seen, nothing].filter(Boolean).join(", ");
    const even = grain > 1 ? Math.round(at / grain) * grain : at;
    this.#wanted = isRecorded ? thumbnailOf(stream, Number(even.toFixed(2))) : "";
    this.toggleAttribute("data-pictured", isRecorded);
    this.#load();
    const room = this.parentElement?.clientWidth ?? 0;
    const half = this.offsetWidth / 2;
    this.style.setProperty("left", `${Math.min(Math.max(x, half), Math.max(half, room - half))}px`);
  }

  hide() {
    this.hidden = true;
    this.#wanted = "";
  }

  #load() {
    if (this.#busy || this.#wanted === "" || this.#image.getAttribute("src") === this.#wanted) return;
    this.#busy = true;
    this.#image.src = this.#wanted;
  }

  /** @param {boolean} isThere */
  #loaded(isThere) {
    this.#busy = false;
    this.#image.classList.toggle("lost", !isThere);
    this.#load();
  }
}

customElements.define("scrub-picture", ScrubPicture);
