// @ts-check
// <view-choice>: how the large picture is watched: by which way, in step or at once, and what is drawn on it. What is
// chosen counts for all streams, and is kept for who chose it. Dispatches "still" with "copy" or "save".

import { element, tag } from "./details.js";
import { button, field, select } from "./form.js";
import { icon } from "./icon.js";
import { watching } from "./watching.js";

/** @typedef {import("./watching.js").Choices} Choices */
/** @typedef {import("./watching.js").WayChoice} WayChoice */
/** @typedef {"boxes" | "labels" | "scores" | "ids" | "zones" | "bold"} Switch */

/** @type {[Switch, string][]} */
const SWITCHES = [
  ["boxes", "Boxes"],
  ["labels", "Labels"],
  ["scores", "Scores"],
  ["ids", "Numbers of things"],
  ["bold", "Bold, for bright light"],
  ["zones", "Zones and lines"],
];
const MOST_PERCENT = "95";

export class ViewChoice extends HTMLElement {
  #menu = /** @type {HTMLDetailsElement} */ (element("details", "drop"));
  #way = select([
    ["auto", "The best there is"],
    ["webcodecs", "WebCodecs"],
    ["mse", "Media Source Extensions"],
    ["webrtc", "WebRTC, boxes by the server"],
    ["mjpeg", "MJPEG, boxes by the server"],
  ]);
  #exact = select([
    ["exact", "Exactly on their picture"],
    ["soonest", "Picture at once, boxes foreseen"],
  ]);
  #switches = SWITCHES.map(([name]) => field(name, { type: "checkbox" }));
  #score = field("score", { type: "range", min: "0", max: MOST_PERCENT, step: "5" });
  #least = element("b", "");
  #classes = element("div", "classes");
  #note = element("p", "fine", "The server draws the boxes here: what is drawn is its choice.");
  /** @type {Map<string, { label: string, class_id: number }>} */
  #offered = new Map();
  #onchange = () => this.#show();
  /** @param {PointerEvent} event anywhere on the page */
  #onpointer = ({ target }) => {
    if (target instanceof Node && !this.contains(target)) this.#menu.open = false;
  };

  connectedCallback() {
    if (this.childElementCount === 0) this.#build();
    watching.addEventListener("change", this.#onchange);
    document.addEventListener("pointerdown", this.#onpointer);
    this.#show();
  }

  disconnectedCallback() {
    watching.removeEventListener("change", this.#onchange);
    document.removeEventListener("pointerdown", this.#onpointer);
  }

  #build() {
    const summary = element("summary", "", icon("M2 8s2.2-4 6-4 6 4 6 4-2.2 4-6 4-6-4-6-4zM8 6.4v3.2M6.4 8h3.2"));
    summary.append(element("span", "", "View"));
    const copy = button("", () => this.#ask("copy"), "Copy picture");
    copy.hidden = !window.isSecureContext;
    const choices = SWITCHES.map(([, word], at) => {
      const input = /** @type {HTMLInputElement} */ (this.#switches[at]);
      return element("label", "choice", input, element("span", "", word));
    });
    this.#menu.append(
      summary,
      element(
        "div",
        "panel",
        element("label", "least", "Video by", this.#way),
        element("label", "least", "Boxes", this.#exact),
        this.#note,
        element("div", "", ...choices),
        this.#classes,
        element("label", "least", element("span", "", "Score ", this.#least), this.#score),
        element(
          "p",
          "buttons",
          copy,
          button("", () => this.#ask("save"), "Save picture"),
        ),
      ),
    );
    this.append(this.#menu);
    this.addEventListener("input", (event) => {
      event.stopPropagation();
      this.#take();
    });
    this.addEventListener("change", (event) => event.stopPropagation());
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.#close(event));
  }

  /**
   * @param {boolean} own whether the page draws the boxes
   * @param {{ label: string, class_id: number }[]} classes that there are boxes of now
   */
  update(own, classes) {
    this.#note.hidden = own;
    this.toggleAttribute("data-served", !own);
    const isKnown = classes.every(({ label }) => this.#offered.has(label));
    for (const { label, class_id } of classes) this.#offered.set(label, { label, class_id });
    if (!isKnown) this.#offer();
  }

  #offer() {
    const sorted = [...this.#offered.values()].sort((a, b) => a.label.localeCompare(b.label));
    this.#classes.replaceChildren(
      ...sorted.map((each) => {
        const input = field("class", { type: "checkbox", value: each.label });
        input.checked = !watching.choices.hidden.includes(each.label);
        return element("label", "choice", input, tag({ ...each, finding: false }));
      }),
    );
  }

  #take() {
    const hidden = new Set(watching.choices.hidden);
    for (const input of this.#classes.querySelectorAll("input")) hidden[input.checked ? "delete" : "add"](input.value);
    const switched = Object.fromEntries(this.#switches.map(({ name, checked }) => [name, checked]));
    watching.change({
      ...switched,
      way: /** @type {WayChoice} */ (this.#way.value),
      exact: this.#exact.value === "exact",
      hidden: [...hidden],
      least: Number(this.#score.value) / 100,
    });
  }

  #show() {
    const { choices } = watching;
    this.#way.value = choices.way;
    this.#exact.value = choices.exact ? "exact" : "soonest";
    for (const input of this.#switches) input.checked = choices[/** @type {Switch} */ (input.name)];
    const percent = Math.round(100 * choices.least);
    this.#score.value = String(percent);
    this.#least.textContent = percent === 0 ? "any" : `≥ ${percent} %`;
    for (const input of this.#classes.querySelectorAll("input")) input.checked = !choices.hidden.includes(input.value);
  }

  /** @param {"copy" | "save"} what */
  #ask(what) {
    this.dispatchEvent(new CustomEvent("still", { detail: what, bubbles: true }));
  }

  /** @param {KeyboardEvent} event */
  #close(event) {
    if (!this.#menu.open) return;
    event.stopPropagation();
    this.#menu.open = false;
    this.querySelector("summary")?.focus();
  }
}

customElements.define("view-choice", ViewChoice);
