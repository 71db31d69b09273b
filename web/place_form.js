// @ts-check
// <place-form>: what counts at the chosen zone or line, and what it is called. Dispatches "point" with "add" or "remove".

import { element } from "./details.js";
import { button, field, fieldset, select } from "./form.js";
import { crossesItself, forward, wayInWords } from "./geometry.js";
import { HourSpans } from "./hour_spans.js";
import { LabelChoice } from "./label_choice.js";
import { ANYTHING, fewest, most } from "./places.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./places.js").Asks} Asks */
/** @typedef {import("./places.js").Shape} Shape */
/** @typedef {ReturnType<typeof import("./places.js").amiss>} Amiss */

const PERCENT = { type: "number", min: "0", max: "100", inputmode: "decimal" };
/** Where what is no fault of one field stands. */
const ABOUT_ALL = "points";

export class PlaceForm extends HTMLElement {
  /** @type {Drawing} */
  #drawing;
  #name = field("name", { maxlength: "64" });
  #labels = new LabelChoice();
  #score = field("score", { ...PERCENT, step: "1", placeholder: "any" });
  #dwell = field("dwell", { type: "number", min: "0", step: "1", inputmode: "decimal", placeholder: "never" });
  #least = field("least", { ...PERCENT, step: "any", placeholder: "any" });
  #largest = field("largest", { ...PERCENT, step: "any", placeholder: "any" });
  #anchor = select([
    ["bottom", "Where it stands: its lower middle"],
    ["center", "Its centre"],
  ]);
  #hours = new HourSpans();
  #way = element("span", "way");
  #turn = button("turn", () => this.#act(({ id }) => this.#drawing.turn(id)), "Turn it round");
  #direction = element("p", "direction", this.#way, this.#turn);
  #ignored = element("p", "fine", "What is in it is seen by nobody: nothing begins there.");
  #crossing = element("p", "fine", "Its edges cross: what they go round twice is outside.");
  #add = button("", () => this.#point("add"), "Add a point");
  #drop = button("", () => this.#point("remove"), "Remove the point");
  #more = /** @type {HTMLDetailsElement} */ (element("details", "more-asks"));
  #fields = /** @type {HTMLFieldSetElement} */ (element("fieldset", ""));
  /** @type {Map<string, HTMLElement>} what is wrong, by what it is about */
  #lines = new Map();
  /** @type {HTMLElement[]} what a mask has none of */
  #asking = [];
  #naming = element("div", "");
  #dwelling = element("div", "");
  #shown = 0;

  /** @param {Drawing} drawing */
  constructor(drawing) {
    super();
    this.#drawing = drawing;
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#naming.append(...this.#asked("name", "Name ", this.#name));
    this.#dwelling.append(...this.#asked("dwell", "Told after, s ", this.#dwell));
    const score = element("div", "", ...this.#asked("min_score", "Score at least, % ", this.#score));
    const counts = element("div", "pair", score, this.#dwelling);
    const sizes = element(
      "div",
      "pair",
      element("div", "", ...this.#asked("min_size", "Smallest, % of it ", this.#least)),
      element("div", "", ...this.#asked("max_size", "Largest, % of it ", this.#largest)),
    );
    const labels = fieldset("Classes", this.#labels);
    this.#more.append(
      element("summary", "", "Size, hours, and where a thing is"),
      fieldset("A box’s share of the picture", sizes),
      fieldset("Hours, by the server’s clock", this.#hours, this.#line("hours")),
      element("label", "", "A thing is ", this.#anchor),
    );
    this.#asking = [labels, counts, this.#more];
    this.#fields.append(
      this.#naming,
      this.#direction,
      this.#ignored,
      this.#crossing,
      ...this.#asking,
      this.#line(ABOUT_ALL),
    );
    this.#fields.append(element("p", "buttons points", this.#add, this.#drop));
    this.append(this.#fields);
    this.#listen();
  }

  #listen() {
    this.#name.addEventListener("input", () =>
      this.#act(({ id }) => this.#drawing.rename(id, this.#name.value.trim())),
    );
    this.#labels.addEventListener("change", () => this.#ask({ labels: this.#labels.value }));
    this.#hours.addEventListener("change", () => this.#ask({ hours: this.#hours.value }));
    this.#score.addEventListener("input", () => this.#ask({ min_score: share(this.#score, ANYTHING.min_score) }));
    this.#least.addEventListener("input", () => this.#ask({ min_size: share(this.#least, ANYTHING.min_size) }));
    this.#largest.addEventListener("input", () => this.#ask({ max_size: share(this.#largest, ANYTHING.max_size) }));
    this.#dwell.addEventListener("input", () => this.#ask({ dwell: number(this.#dwell) }));
    this.#anchor.addEventListener("input", () =>
      this.#ask({ anchor: /** @type {Asks["anchor"]} */ (this.#anchor.value) }),
    );
    this.addEventListener("change", () => this.#drawing.rest());
  }

  /**
   * @param {Shape | undefined} shape
   * @param {object} known
   * @param {string[]} known.labels that the model tells apart
   * @param {boolean} known.editable
   * @param {Amiss} known.amiss
   * @param {number} known.aspect height of the picture by its width
   */
  show(shape, { labels, editable, amiss, aspect }) {
    this.hidden = !shape;
    if (!shape) return;
    const { kind, asks } = shape;
    const another = shape.id !== this.#shown;
    this.#shown = shape.id;
    this.#fields.disabled = !editable;
    this.#naming.hidden = kind === "mask";
    this.#ignored.hidden = kind !== "mask";
    this.#direction.hidden = kind !== "line";
    this.#dwelling.hidden = kind !== "zone";
    for (const part of this.#asking) part.hidden = kind === "mask";
    const [x, y] = forward(shape.points, aspect);
    this.#way.textContent = `→ forward: ${wayInWords([x, y])}\n← backward: ${wayInWords([-x, -y])}`;
    this.#fill(this.#name, shape.name, another);
    this.#fill(this.#score, percent(asks.min_score, 0), another);
    this.#fill(this.#dwell, asks.dwell === null ? "" : String(asks.dwell), another);
    this.#fill(this.#least, percent(asks.min_size, 0), another);
    this.#fill(this.#largest, percent(asks.max_size, 1), another);
    this.#fill(this.#anchor, asks.anchor, another);
    this.#labels.show(labels, asks.labels);
    this.#hours.show(asks.hours, another);
    this.#crossing.hidden = kind === "line" || !crossesItself(shape.points);
    const asksMore = asks.hours.length > 0 || asks.min_size > 0 || asks.max_size < 1 || asks.anchor !== "bottom";
    if (another) this.#more.open = asksMore;
    const points = shape.points.length;
    for (const part of [this.#add, this.#drop]) part.hidden = kind === "line" || !editable;
    [this.#add.disabled, this.#drop.disabled] = [points >= most(kind), points <= fewest(kind)];
    this.#tell(amiss);
  }

  /** Leads to the first field that something is wrong with. */
  enter() {
    const wrong = /** @type {HTMLElement | null} */ (this.querySelector('[aria-invalid="true"]'));
    if (wrong && this.#more.contains(wrong)) this.#more.open = true;
    (wrong ?? this.#name).focus();
  }

  /** @param {Amiss} amiss */
  #tell(amiss) {
    for (const [about, line] of this.#lines) {
      const text = amiss[/** @type {keyof Amiss} */ (about)] ?? "";
      if (line.textContent !== text) line.textContent = text;
      const input = line.parentElement?.querySelector("input");
      if (about !== ABOUT_ALL) input?.setAttribute("aria-invalid", String(text !== ""));
      if (text && this.#more.contains(line)) this.#more.open = true;
    }
  }

  /** A field, and below it what is wrong with it, which is no part of what it is called.
   * @param {keyof Amiss} about
   * @param {string} word
   * @param {HTMLInputElement} input
   */
  #asked(about, word, input) {
    const line = this.#line(about);
    line.id = `place-${about}`;
    input.setAttribute("aria-describedby", line.id);
    return [element("label", "", word, input), line];
  }

  /** @param {string} about */
  #line(about) {
    const line = element("small", "problem");
    line.setAttribute("role", "alert");
    this.#lines.set(about, line);
    return line;
  }

  /** What somebody types is not written over by what it means.
   * @param {HTMLInputElement | HTMLSelectElement} input
   * @param {string} value
   * @param {boolean} another
   */
  #fill(input, value, another) {
    const typing = document.activeElement === input && !another;
    if (!typing && input.value !== value) input.value = value;
  }

  /** @param {Partial<Asks>} asks */
  #ask(asks) {
    this.#act(({ id }) => this.#drawing.ask(id, asks));
  }

  /** @param {(shape: Shape) => void} act */
  #act(act) {
    const shape = this.#drawing.chosen;
    if (shape) act(shape);
  }

  /** @param {"add" | "remove"} what */
  #point(what) {
    this.dispatchEvent(new CustomEvent("point", { detail: what }));
  }
}

/** @param {HTMLInputElement} input
 * @returns {number | null} null where nothing is there
 */
function number(input) {
  if (input.validity.badInput) return NaN;
  return input.value === "" ? null : input.valueAsNumber;
}

/**
 * @param {HTMLInputElement} input in percent
 * @param {number} otherwise where nothing is there
 */
function share(input, otherwise) {
  const value = number(input);
  return value === null ? otherwise : Math.round(value * 1e4) / 1e6;
}

/**
 * @param {number} value
 * @param {number} otherwise what goes without saying
 */
function percent(value, otherwise) {
  return value === otherwise || Number.isNaN(value) ? "" : String(Math.round(value * 1e4) / 100);
}

customElements.define("place-form", PlaceForm);
