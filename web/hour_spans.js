// @ts-check
// <hour-spans>: hours of the day, from when until when, as many as somebody adds. Dispatches "change".

import { element } from "./details.js";
import { button, field } from "./form.js";

const NIGHT = "22:00-06:00";

export class HourSpans extends HTMLElement {
  #rows = element("div", "spans");
  #add = button("", () => this.#become([...this.value, NIGHT]), "Add hours");
  #all = element("p", "fine", "All day.");
  /** @type {string[]} */
  #value = [];

  connectedCallback() {
    if (this.childElementCount === 0) this.append(this.#all, this.#rows, this.#add);
  }

  /** @returns {string[]} such as "22:00-06:00"; one without an end is "22:00-" */
  get value() {
    return [...this.#value];
  }

  /**
   * @param {string[]} spans
   * @param {boolean} another whether they are of another shape than before
   */
  show(spans, another) {
    if (!another && String(spans) === String(this.#value)) return;
    this.#value = [...spans];
    this.#draw();
  }

  #draw() {
    this.#all.hidden = this.#value.length > 0;
    this.#rows.replaceChildren(...this.#value.map((span, index) => this.#row(span, index)));
  }

  /**
   * @param {string} span
   * @param {number} index
   */
  #row(span, index) {
    const [begin = "", end = ""] = span.split("-");
    const [from, until] = [field("from", { type: "time" }), field("until", { type: "time" })];
    [from.value, until.value] = [begin, end];
    from.setAttribute("aria-label", "From");
    until.setAttribute("aria-label", "Until");
    const row = element("p", "span", from, element("span", "", "to"), until);
    row.addEventListener("input", () => this.#say(this.#value.with(index, `${from.value}-${until.value}`)));
    const remove = button("", () => this.#become(this.#value.toSpliced(index, 1)), "✕");
    remove.setAttribute("aria-label", `Remove ${span.replace("-", " to ")}`);
    row.append(remove);
    return row;
  }

  /** @param {string[]} spans */
  #become(spans) {
    this.#say(spans);
    this.#draw();
  }

  /** @param {string[]} spans */
  #say(spans) {
    this.#value = spans;
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

customElements.define("hour-spans", HourSpans);
