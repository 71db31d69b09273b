// @ts-check
// <name-choice>: some of the names that are offered, and others that are typed. Dispatches "change".

import { element } from "./details.js";
import { choices, chosen, field } from "./form.js";

export class NameChoice extends HTMLElement {
  #chips = element("div", "chips-of-names");
  #typed = field("others", {});
  #others = element("label", "others", this.#typed);
  #hint;
  /** @type {string[]} */
  #offered = [];
  #key;

  /**
   * @param {string} key its name in a form
   * @param {string} hint what it means that none is chosen
   * @param {string} [typing] what may be typed besides; "": nothing
   */
  constructor(key, hint, typing = "") {
    super();
    this.#key = key;
    this.#hint = element("p", "fine", hint);
    this.#typed.placeholder = typing;
    this.#typed.setAttribute("aria-label", typing);
    this.#others.hidden = typing === "";
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.addEventListener("input", () => this.#draw());
    this.append(this.#chips, this.#others, this.#hint);
    this.#draw();
  }

  /** @returns {string[]} */
  get value() {
    const typed = this.#typed.value.split(",").flatMap((word) => word.trim() || []);
    return [...new Set([...chosen(this.#chips, this.#key), ...typed])];
  }

  set value(names) {
    this.#typed.value = "";
    this.#show(names);
  }

  /** These can be chosen, besides those that are.
   * @param {string[]} names
   */
  offer(names) {
    this.#offered = [...new Set(names)];
    this.#show(chosen(this.#chips, this.#key));
  }

  /** @param {string[]} names that are chosen */
  #show(names) {
    const all = [...new Set([...this.#offered, ...names])];
    const known = [...this.#chips.querySelectorAll("input")].map(({ value }) => value);
    if (String(known) !== String(all)) {
      const focused = /** @type {HTMLInputElement | null} */ (this.#chips.querySelector(":focus"))?.value;
      const made = choices(
        "checkbox",
        this.#key,
        all.map((name) => [name, name]),
      );
      this.#chips.replaceChildren(...made);
      if (focused !== undefined) this.#input(focused)?.focus();
    }
    for (const input of this.#chips.querySelectorAll("input")) input.checked = names.includes(input.value);
    this.#draw();
  }

  /** @param {string} name */
  #input(name) {
    return [...this.#chips.querySelectorAll("input")].find(({ value }) => value === name);
  }

  #draw() {
    this.#chips.hidden = this.#chips.childElementCount === 0;
    this.#hint.hidden = this.value.length > 0;
  }
}

customElements.define("name-choice", NameChoice);
