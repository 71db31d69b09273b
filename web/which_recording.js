// @ts-check
// <which-recording>: the stream, the one beside it, and the day. Dispatches "streams" when other streams are chosen, "day"
// with another day, and "turn" with -1 or 1, to the one before or after that has recordings.

import { dayOf } from "./clock.js";
import { element } from "./details.js";
import { button, field, select } from "./form.js";
import { icon } from "./icon.js";

export class WhichRecording extends HTMLElement {
  #stream = select([]);
  #beside = select([["", "–"]]);
  #date = field("day", { type: "date" });
  #earlier = button("earlier", () => this.#tell("turn", -1), icon("M10 3 5 8l5 5"));
  #later = button("later", () => this.#tell("turn", 1), icon("m6 3 5 5-5 5"));

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#earlier.setAttribute("aria-label", "The day before");
    this.#later.setAttribute("aria-label", "The day after");
    this.#date.setAttribute("aria-label", "Day");
    for (const part of [this.#stream, this.#beside]) part.addEventListener("change", () => this.#tell("streams"));
    this.#date.addEventListener("change", () => this.#date.value && this.#tell("day", this.#date.value));
    const form = element(
      "form",
      "filter which",
      element("label", "", element("span", "", "Stream "), this.#stream),
      element("label", "", element("span", "", "Beside it "), this.#beside),
      element("p", "days", this.#earlier, this.#date, this.#later),
    );
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", (event) => event.stopPropagation());
    this.append(form);
  }

  get stream() {
    return this.#stream.value;
  }

  /** "" for none. */
  get beside() {
    return this.#beside.value === this.#stream.value ? "" : this.#beside.value;
  }

  set day(/** @type {string} */ day) {
    this.#date.value = day;
    this.#date.max = dayOf();
    this.#later.disabled = day >= dayOf();
  }

  /**
   * What can be chosen, and what is.
   *
   * @param {string[]} names
   * @param {string} stream
   * @param {string} beside
   */
  offer(names, stream, beside) {
    const all = [...new Set([...names, ...[stream, beside].filter(Boolean)])];
    const others = all.filter((name) => name !== stream);
    this.#stream.replaceChildren(...all.map((name) => new Option(name, name)));
    this.#beside.replaceChildren(new Option("–", ""), ...others.map((name) => new Option(name, name)));
    if (stream) this.#stream.value = stream;
    this.#beside.value = beside;
    this.#beside.disabled = others.length === 0;
  }

  /**
   * @param {string} what
   * @param {string | number} [detail]
   */
  #tell(what, detail = "") {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}

customElements.define("which-recording", WhichRecording);
