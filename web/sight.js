// @ts-check
// How one tile's picture is looked at: how large, how close, and what is drawn on it.

import { COLORS } from "./class_color.js";
import { PictureStyle } from "./picture_style.js";
import { watching } from "./watching.js";
import { WHOLE } from "./zoom.js";

/** @typedef {import("./live_paint.js").Drawn} Drawn */
/** @typedef {import("./zoom.js").Look} Look */

/** What the page calls the colours of what is drawn. */
const NAMED = { ink: "--on-class", halo: "--halo", screen: "--screen" };

/** Dispatches "size" when it becomes small or large, "look" when it is looked closer or elsewhere, "drawn" when other things are drawn, and "timing". */
export class Sight extends EventTarget {
  #style;
  /** @type {Look} */
  #look = WHOLE;
  #small = false;
  /** @type {string[]} */
  #findings = [];
  #exact = watching.choices.exact;
  #onchange = () => this.#changed();

  /** @param {HTMLElement} element on which the colours are */
  constructor(element) {
    super();
    this.#style = new PictureStyle(element);
  }

  begin() {
    watching.addEventListener("change", this.#onchange);
    this.#changed();
  }

  end() {
    watching.removeEventListener("change", this.#onchange);
  }

  get watching() {
    return watching.choices;
  }

  /** Whether a smaller video will do. */
  get small() {
    return this.#small;
  }

  set small(small) {
    if (small === this.#small) return;
    this.#small = small;
    this.dispatchEvent(new Event("size"));
  }

  get look() {
    return this.#look;
  }

  set look(look) {
    this.#look = look;
    this.dispatchEvent(new Event("look"));
  }

  /** Labels of what is drawn over all others. @param {string[]} findings */
  set findings(findings) {
    if (findings.join("\n") === this.#findings.join("\n")) return;
    this.#findings = findings;
    this.dispatchEvent(new Event("drawn"));
  }

  /** @returns {Drawn} */
  get drawn() {
    const { boxes, labels, scores, ids, bold, hidden, least } = watching.choices;
    const classes = Array.from({ length: COLORS }, (_, at) => [`${at + 1}`, this.#style.of(`--class-${at + 1}`)]);
    const others = Object.entries(NAMED).map(([name, property]) => [name, this.#style.of(property)]);
    const colors = Object.fromEntries([...classes, ...others]);
    return { boxes, labels, scores, ids, bold, hidden, least, findings: this.#findings, colors };
  }

  #changed() {
    this.dispatchEvent(new Event("drawn"));
    if (this.#exact === watching.choices.exact) return;
    this.#exact = watching.choices.exact;
    this.dispatchEvent(new Event("timing"));
  }
}
