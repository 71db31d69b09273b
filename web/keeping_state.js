// @ts-check
// <keeping-state>: a sentence while events cannot be kept: what is listed then is of before, and what is seen waits.

import { page } from "./archive.js";
import { problem } from "./form.js";
import { EVERYTHING } from "./search.js";

const LOOK_MS = 15_000;

export class KeepingState extends HTMLElement {
  #line = problem();
  #timer = 0;

  connectedCallback() {
    if (this.childElementCount === 0) this.append(this.#line);
  }

  /** @param {boolean} on whether somebody looks at it, and there is an archive */
  watch(on) {
    if (on === (this.#timer !== 0)) return;
    window.clearInterval(this.#timer);
    this.#timer = on ? window.setInterval(() => this.#look(), LOOK_MS) : 0;
    if (on) this.#look();
    else this.#line.textContent = "";
  }

  /** An answer that does not come is said in the place of the list. */
  async #look() {
    const failing = await page(EVERYTHING, null, 1).then(
      (answer) => answer.failing,
      () => null,
    );
    if (this.#timer === 0) return;
    const said =
      failing === null ? "" : `Nothing can be kept for now (${failing}). What is seen waits until it can be.`;
    if (this.#line.textContent !== said) this.#line.textContent = said;
  }
}

customElements.define("keeping-state", KeepingState);
