// @ts-check
// <found-choice>: which of what was found is shown: from which score on, and of which classes. Dispatches "change".

import { element, tag } from "./details.js";
import { field } from "./form.js";

/** @typedef {import("./detecting.js").Detection} Detection */

/** Percent; what scores less is not asked for. */
const LEAST = 5;

export class FoundChoice extends HTMLElement {
  #score = field("score", { type: "range", min: String(LEAST), max: "100", step: "1", value: String(LEAST) });
  #said = element("b", "");
  #classes = element("div", "classes");
  /** @type {Set<string>} */
  #hidden = new Set();
  /** Whether he has said from which score on; before that it is the model's own. */
  #own = true;
  #key = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#classes.setAttribute("role", "group");
    this.#classes.setAttribute("aria-label", "Classes");
    this.append(element("label", "least", element("span", "", "Score ", this.#said), this.#score), this.#classes);
    this.addEventListener("input", (event) => {
      event.stopPropagation();
      if (event.target === this.#score) this.#own = false;
      for (const input of this.#classes.querySelectorAll("input"))
        this.#hidden[input.checked ? "delete" : "add"](input.value);
      this.#changed();
    });
    this.addEventListener("change", (event) => event.target !== this && event.stopPropagation());
    this.#draw();
  }

  /** Has it begin where the model does.
   * @param {number} score 0 to 1
   */
  set own(score) {
    if (!this.#own || this.#score.value === String(Math.round(score * 100))) return;
    this.#score.value = String(Math.round(score * 100));
    this.#draw();
  }

  /** @param {Detection[]} found of all pictures */
  offer(found) {
    const classes = [...new Map(found.map((each) => [each.label, each])).values()];
    const sorted = classes.sort((a, b) => a.label.localeCompare(b.label));
    const key = sorted.map(({ label }) => label).join("\n");
    if (key === this.#key) return;
    this.#key = key;
    this.#classes.hidden = sorted.length < 2;
    this.#classes.replaceChildren(
      ...sorted.map((each) => {
        const input = field("class", { type: "checkbox", value: each.label });
        input.checked = !this.#hidden.has(each.label);
        return element("label", "choice", input, tag({ ...each, finding: false }));
      }),
    );
  }

  /** Those that are shown.
   * @param {Detection[]} found
   */
  of(found) {
    const least = this.least;
    return found.filter(({ label, score }) => score >= least && !this.#hidden.has(label));
  }

  get least() {
    return Number(this.#score.value) / 100;
  }

  forget() {
    [this.#own, this.#hidden] = [true, new Set()];
    this.#score.value = String(LEAST);
    this.offer([]);
    this.#draw();
  }

  #changed() {
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  #draw() {
    this.#said.textContent = `≥ ${this.#score.value} %`;
  }
}

customElements.define("found-choice", FoundChoice);
