// @ts-check
// <keeping-state>: a sentence while events cannot be kept, or not where they are to go: what is seen waits.

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
    const said = await page(EVERYTHING, null, 1).then(sentence, () => "");
    if (this.#timer === 0) return;
    if (this.#line.textContent !== said) this.#line.textContent = said;
  }
}

/**
 * @param {{ failing: string | null, storage_failing: string | null }} state
 * @returns {string} the worse of both; "" where nothing fails
 */
function sentence({ failing, storage_failing }) {
  if (failing !== null) return `Nothing can be kept for now (${failing}). What is seen waits until it can be.`;
  if (storage_failing === null) return "";
  return `Nothing can be brought to object storage for now (${storage_failing}). It waits on this machine.`;
}

customElements.define("keeping-state", KeepingState);
