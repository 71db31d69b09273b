// @ts-check
// <box-choice>: which boxes are shown: whether, of which classes, and from which score on. Dispatches "change".

import { element, tag } from "./details.js";
import { field } from "./form.js";
import { icon } from "./icon.js";

/** @typedef {import("./recorded_stage.js").Choice} Choice */

const MOST_PERCENT = "95";

export class BoxChoice extends HTMLElement {
  #shown = field("shown", { type: "checkbox" });
  #score = field("score", { type: "range", min: "0", max: MOST_PERCENT, step: "5", value: "0" });
  #least = element("b", "", "any");
  #classes = element("div", "classes");
  #menu = /** @type {HTMLDetailsElement} */ (element("details", "drop"));
  /** @type {Set<string>} */
  #hidden = new Set();
  #key = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#shown.checked = true;
    const summary = element("summary", "", icon("M2.5 4h11v8h-11z"), element("span", "", "Boxes"));
    const score = element("label", "least", element("span", "", "Score ", this.#least), this.#score);
    const shown = element("label", "choice", this.#shown, element("span", "", "Show boxes"));
    this.#menu.append(summary, element("div", "panel", shown, this.#classes, score));
    this.append(this.#menu);
    this.addEventListener("input", (event) => {
      event.stopPropagation();
      this.#changed();
    });
    this.addEventListener("change", (event) => event.target !== this && event.stopPropagation());
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.#close(event));
    document.addEventListener("pointerdown", ({ target }) => {
      if (target instanceof Node && !this.contains(target)) this.#menu.open = false;
    });
  }

  /** @returns {Choice} */
  get value() {
    return { hidden: this.#hidden, least: Number(this.#score.value) / 100, shown: this.#shown.checked };
  }

  toggle() {
    this.#shown.checked = !this.#shown.checked;
    this.#changed();
  }

  /** @param {{ label: string, class_id: number }[]} classes that there are boxes of */
  offer(classes) {
    const sorted = [...classes].sort((a, b) => a.label.localeCompare(b.label));
    const key = sorted.map(({ label }) => label).join("\n");
    if (key === this.#key) return;
    this.#key = key;
    this.#classes.replaceChildren(
      ...sorted.map((each) => {
        const input = field("class", { type: "checkbox", value: each.label });
        input.checked = !this.#hidden.has(each.label);
        return element("label", "choice", input, tag({ ...each, finding: false }));
      }),
    );
  }

  #changed() {
    for (const input of this.#classes.querySelectorAll("input"))
      this.#hidden[input.checked ? "delete" : "add"](input.value);
    const percent = Number(this.#score.value);
    this.#least.textContent = percent === 0 ? "any" : `≥ ${percent} %`;
    this.toggleAttribute("data-off", !this.#shown.checked);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {KeyboardEvent} event */
  #close(event) {
    if (!this.#menu.open) return;
    event.stopPropagation();
    this.#menu.open = false;
    this.querySelector("summary")?.focus();
  }
}

customElements.define("box-choice", BoxChoice);
