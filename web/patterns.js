// @ts-check
// <stream-patterns>: which streams somebody may see or use: all, or some by their names or by patterns of names.

import { element } from "./details.js";
import { choices, chosen, field, fieldset } from "./form.js";

const EVERY = "*";
const PATTERN = "[A-Za-z0-9._*?\\-]+";

export class StreamPatterns extends HTMLElement {
  #names;
  #value;
  #some = element("div", "some");
  #typed = field("patterns", {
    placeholder: "line-*, yard-?",
    pattern: ` *${PATTERN}([ ,]+${PATTERN})*[ ,]*`,
    title: "Names of streams, or patterns of names with * and ?, with blanks between them",
    "aria-label": "Names or patterns",
  });

  /**
   * @param {string[]} names of the streams there are
   * @param {string[]} value what is chosen
   */
  constructor(names, value) {
    super();
    this.#names = names;
    this.#value = value;
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const all = this.#value.includes(EVERY);
    const which = choices("radio", "which", [
      ["all", "All streams", "those that are added later too"],
      ["some", "Only some"],
    ]);
    const offered = choices(
      "checkbox",
      "stream",
      this.#names.map((name) => [name, name]),
    );
    this.#some.append(
      element("div", "chips-of-names", ...offered),
      element(
        "label",
        "",
        offered.length > 0 ? "and names or patterns " : "Names or patterns ",
        this.#typed,
        element(
          "small",
          "",
          "* stands for any letters, ? for one: line-* is line-1, line-2 and all others that begin so",
        ),
      ),
    );
    this.append(fieldset("Streams", ...which, this.#some));
    this.#check("which", [all ? "all" : "some"]);
    this.#check("stream", all ? [] : this.#value);
    this.#typed.value = all ? "" : this.#value.filter((each) => !this.#names.includes(each)).join(", ");
    this.addEventListener("change", () => this.#draw());
    this.#draw();
  }

  /** @returns {string[]} names and patterns; empty where none is chosen */
  get value() {
    if (chosen(this, "which").includes("all")) return [EVERY];
    const typed = this.#typed.value.split(/[ ,]+/).filter((each) => each !== "");
    return [...new Set([...chosen(this, "stream"), ...typed])];
  }

  /**
   * @param {string} name
   * @param {string[]} values
   */
  #check(name, values) {
    const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (this.querySelectorAll(`[name="${name}"]`));
    for (const input of inputs) input.checked = values.includes(input.value);
  }

  #draw() {
    this.#some.hidden = chosen(this, "which").includes("all");
    this.#typed.disabled = this.#some.hidden; // what is not seen is not asked to be right
  }
}

/** @param {string[]} streams patterns */
export function streamsInWords(streams) {
  if (streams.includes(EVERY)) return "all";
  return streams.length > 0 ? streams.join(", ") : "none";
}

customElements.define("stream-patterns", StreamPatterns);
