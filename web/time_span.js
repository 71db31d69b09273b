// @ts-check
// <time-span>: a length of time, as a number and its unit. Dispatches "input", as its parts do.

import { field, select } from "./form.js";

/** @type {[value: string, word: string][]} */
const UNITS = [
  ["1", "s"],
  ["60", "min"],
  ["3600", "h"],
];

export class TimeSpan extends HTMLElement {
  #number;
  #unit = select(UNITS);

  /**
   * @param {string} name
   * @param {string} placeholder what it is without a number
   */
  constructor(name, placeholder) {
    super();
    this.#number = field(name, { type: "number", min: "0", step: "any", inputmode: "decimal", placeholder });
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#unit.setAttribute("aria-label", "Unit");
    this.append(this.#number, this.#unit);
  }

  /** @returns {number} seconds; NaN where that is no number */
  get value() {
    if (this.#number.validity.badInput) return NaN;
    return this.#number.value === ""
      ? 0
      : Math.round(this.#number.valueAsNumber * Number(this.#unit.value) * 1000) / 1000;
  }

  set value(seconds) {
    const unit = UNITS.findLast(([each]) => seconds > 0 && seconds % Number(each) === 0)?.[0] ?? "1";
    this.#unit.value = unit;
    this.#number.value = seconds === 0 ? "" : String(seconds / Number(unit));
  }

  /** The field of the number, for what is said of it. */
  get input() {
    return this.#number;
  }
}

customElements.define("time-span", TimeSpan);
