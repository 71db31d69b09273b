// @ts-check
// <event-filters>: which events are looked for. Dispatches "change" when that is another question than before.

import { element } from "./details.js";
import { button, field, select } from "./form.js";
import { EVERYTHING, asked } from "./search.js";

/** @typedef {import("./search.js").Search} Search */
/** @typedef {Record<"stream" | "label" | "zone" | "line", string[]>} Names */

const NAMED = /** @type {const} */ (["stream", "label", "zone", "line"]);

/** @type {[value: string, word: string][]} */
const SCORES = [["", "Any"], ...[50, 60, 70, 80, 90].map(atLeast)];
/** @type {[value: string, word: string][]} */
const REVIEWED = [
  ["", "Any"],
  ["none", "Not reviewed"],
  ["confirmed", "Confirmed"],
  ["false", "False"],
  ["any", "Confirmed or false"],
];
/** @type {[value: string, word: string][]} */
const BOOKMARKED = [
  ["", "Any"],
  ["true", "Bookmarked"],
];
/** Where there is room for all of them they are not folded away. */
const WIDE = window.matchMedia("(min-width: 761px)");

export class EventFilters extends HTMLElement {
  #parts = {
    stream: select([["", "All"]]),
    label: select([["", "All"]]),
    zone: select([["", "All"]]),
    line: select([["", "All"]]),
    day: field("day", { type: "date" }),
    score: select(SCORES),
    reviewed: select(REVIEWED),
    bookmarked: select(BOOKMARKED),
  };
  #count = element("b", "", "");
  #clear = button("clear", () => this.#reset(), "Clear");
  #fold = /** @type {HTMLDetailsElement} */ (element("details", "fold"));

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const { stream, label, zone, line, day, score, reviewed, bookmarked } = this.#parts;
    const form = element(
      "form",
      "filter",
      element("label", "", "Stream ", stream),
      element("label", "", "Class ", label),
      element("label", "", "Zone ", zone),
      element("label", "", "Line ", line),
      element("label", "", "Day ", day),
      element("label", "", "Score ", score),
      element("label", "", "Reviewed ", reviewed),
      element("label", "", "Marked ", bookmarked),
      this.#clear,
    );
    form.setAttribute("role", "search");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => {
      event.stopPropagation();
      this.#changed();
    });
    form.addEventListener("change", (event) => event.stopPropagation());
    this.#fold.append(element("summary", "", "Filters ", this.#count), form);
    this.#fold.open = WIDE.matches;
    WIDE.addEventListener("change", () => (this.#fold.open = WIDE.matches));
    this.append(this.#fold);
    this.#draw();
  }

  /** @returns {Search} */
  get value() {
    const { stream, label, zone, line, day, score, reviewed, bookmarked } = this.#parts;
    return {
      stream: stream.value,
      label: label.value,
      zone: zone.value,
      line: line.value,
      day: day.value,
      score: score.value,
      reviewed: reviewed.value,
      bookmarked: bookmarked.value,
    };
  }

  set value(search) {
    for (const key of /** @type {(keyof Search)[]} */ (Object.keys(this.#parts))) {
      const part = this.#parts[key];
      if (part instanceof HTMLSelectElement) offer(part, [search[key]]);
      part.value = search[key];
    }
    this.#draw();
  }

  /** What has been seen somewhere can be chosen from then on.
   * @param {Partial<Names>} names
   */
  offer(names) {
    for (const key of NAMED) offer(this.#parts[key], names[key] ?? []);
  }

  /** These can be chosen, and no others but what is.
   * @param {Names} names
   */
  set names(names) {
    for (const key of NAMED) {
      const part = this.#parts[key];
      const chosen = part.value;
      part.length = 1;
      offer(part, [...names[key], chosen].filter(Boolean));
      part.value = chosen;
    }
  }

  /** One person's names are not the next one's. */
  forget() {
    for (const key of NAMED) this.#parts[key].length = 1;
  }

  #reset() {
    this.value = EVERYTHING;
    this.#changed();
  }

  #changed() {
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  #draw() {
    const count = asked(this.value);
    this.#count.textContent = count > 0 ? String(count) : "";
    this.#clear.disabled = count === 0;
    for (const part of Object.values(this.#parts)) part.toggleAttribute("data-set", part.value !== "");
  }
}

/**
 * Adds what is not there yet, in order; the first stays first.
 *
 * @param {HTMLSelectElement} part
 * @param {string[]} values
 */
function offer(part, values) {
  const known = new Set([...part.options].map(({ value }) => value));
  for (const value of new Set(values)) {
    if (known.has(value)) continue;
    const after = [...part.options].slice(1).find((option) => option.value > value);
    part.add(new Option(value, value), after ?? null);
  }
}

/**
 * @param {number} percent
 * @returns {[string, string]}
 */
function atLeast(percent) {
  return [String(percent / 100), `≥ ${percent} %`];
}

customElements.define("event-filters", EventFilters);
