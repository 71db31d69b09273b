// @ts-check
// <label-choice>: some of the classes that a model tells apart; none is all of them. Dispatches "change".

import { element } from "./details.js";
import { choices, chosen, field } from "./form.js";

export class LabelChoice extends HTMLElement {
  #chips = element("div", "chips-of-names");
  #other = field("labels", { placeholder: "all" });
  #otherLabel = element("label", "", "With commas between: the model was not met yet ", this.#other);
  #hint = element("p", "fine", "All of them, as long as none is chosen.");
  #offered = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#chips.addEventListener("change", () => this.#tell());
    this.#other.addEventListener("input", () => this.#tell());
    this.append(this.#chips, this.#otherLabel, this.#hint);
  }

  get value() {
    if (!this.#chips.hidden) return chosen(this.#chips, "label");
    return this.#other.value.split(",").flatMap((word) => word.trim() || []);
  }

  /**
   * @param {string[]} offered by the model; empty while it is not known
   * @param {string[]} labels that are chosen; also such as the model has no more
   */
  show(offered, labels) {
    const all = [...new Set([...offered, ...labels])];
    this.#chips.hidden = offered.length === 0;
    this.#otherLabel.hidden = offered.length > 0;
    if (String(all) !== this.#offered) {
      this.#offered = String(all);
      this.#chips.replaceChildren(
        ...choices(
          "checkbox",
          "label",
          all.map((label) => [label, label]),
        ),
      );
    }
    for (const input of this.#chips.querySelectorAll("input")) input.checked = labels.includes(input.value);
    if (document.activeElement !== this.#other) this.#other.value = labels.join(", ");
    this.#hint.hidden = labels.length > 0 || offered.length === 0;
  }

  #tell() {
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

customElements.define("label-choice", LabelChoice);
