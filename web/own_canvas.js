// @ts-check
// The canvas of a camera's own video on a tile, as large as its place on the screen has pixels.

import { element } from "./details.js";

/** @typedef {import("./clean_worker.js").Order} Order */
/** @typedef {import("./sight.js").Sight} Sight */

/** More pixels than any screen has would only cost. */
const WIDEST = 3840;

export class OwnCanvas {
  element = /** @type {HTMLCanvasElement} */ (element("canvas", "clean"));
  #sight;
  #order;
  #resized = new ResizeObserver(() => this.#fit());
  #onlook = () => this.#order({ do: "look", look: this.#sight.look });
  #ondrawn = () => this.#order({ do: "drawn", drawn: this.#sight.drawn });
  #onsize = () => this.#order({ do: "size", small: this.#sight.small });
  #ontiming = () => this.#order({ do: "exact", exact: this.#sight.watching.exact });

  /**
   * @param {HTMLElement} before what it is put behind, and so over
   * @param {Sight} sight
   * @param {(order: Order) => void} order hears of the size, and how it is looked at
   */
  constructor(before, sight, order) {
    this.#sight = sight;
    this.#order = order;
    this.element.hidden = true;
    this.element.setAttribute("aria-hidden", "true");
    before.after(this.element);
  }

  /** From now on orders are given: whoever takes them is there. */
  begin() {
    this.#resized.observe(this.element.parentElement ?? this.element);
    this.#sight.addEventListener("look", this.#onlook);
    this.#sight.addEventListener("drawn", this.#ondrawn);
    this.#sight.addEventListener("size", this.#onsize);
    this.#sight.addEventListener("timing", this.#ontiming);
    this.#fit();
    this.#ondrawn();
    this.#onlook();
  }

  get shown() {
    return !this.element.hidden;
  }

  set shown(shown) {
    this.element.hidden = !shown;
  }

  end() {
    this.#resized.disconnect();
    this.#sight.removeEventListener("look", this.#onlook);
    this.#sight.removeEventListener("drawn", this.#ondrawn);
    this.#sight.removeEventListener("size", this.#onsize);
    this.#sight.removeEventListener("timing", this.#ontiming);
    this.element.remove();
  }

  #fit() {
    const { clientWidth = 0, clientHeight = 0 } = this.element.parentElement ?? {};
    if (clientWidth === 0 || clientHeight === 0) return; // hidden: its size comes when it is seen again
    const density = Math.min(window.devicePixelRatio || 1, WIDEST / clientWidth);
    const [width, height] = [Math.round(clientWidth * density), Math.round(clientHeight * density)];
    this.#order({ do: "screen", screen: { width, height, density } });
  }
}
