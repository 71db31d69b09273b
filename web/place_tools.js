// @ts-check
// <place-tools>: begins zones, lines and masks on a board, and goes back through what was done. Dispatches "picture"
// where another still is wanted.

import { element } from "./details.js";
import { button } from "./form.js";
import { icon } from "./icon.js";
import { fewest } from "./places.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./drawing_board.js").DrawingBoard} DrawingBoard */
/** @typedef {import("./places.js").Kind} Kind */

/** @type {[Kind, string, string][]} */
const KINDS = [
  ["zone", "Zone", "M3 5.5 8 3l5 3-1 7H4z"],
  ["line", "Line", "M2.5 13.5 13.5 2.5"],
  ["mask", "Mask", "M3 3h10v10H3zM3 13 13 3"],
];

export class PlaceTools extends HTMLElement {
  /** @type {Drawing} */
  #drawing;
  /** @type {DrawingBoard} */
  #board;
  #begin = element("p", "buttons");
  #hint = element("span", "hint", "");
  #done = button("start", () => this.#board.finish(), "Done");
  #drafting = element("p", "buttons drafting", this.#hint);
  #undo = button("undo", () => this.#drawing.undo(), icon("M6 3 2.5 6.5 6 10M2.5 6.5H10a3.5 3.5 0 0 1 0 7H7"));
  /** Back, forth, and another picture: they stand where the page puts them. */
  steps = element("p", "steps");
  #redo = button("redo", () => this.#drawing.redo(), icon("m10 3 3.5 3.5L10 10M13.5 6.5H6a3.5 3.5 0 0 0 0 7h3"));

  /**
   * @param {Drawing} drawing
   * @param {DrawingBoard} board
   */
  constructor(drawing, board) {
    super();
    [this.#drawing, this.#board] = [drawing, board];
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    for (const [kind, word, path] of KINDS) {
      // A press that came from no pointer has no place on the picture.
      const begin = button("begin", () => {}, icon(path), word);
      begin.addEventListener("click", ({ detail }) => this.#board.begin(kind, detail > 0));
      begin.title = `Draw a ${kind}`;
      this.#begin.append(begin);
    }
    const picture = button(
      "picture",
      () => this.dispatchEvent(new Event("picture")),
      icon("M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3"),
    );
    for (const [part, word] of /** @type {const} */ ([
      [this.#undo, "Undo"],
      [this.#redo, "Redo"],
      [picture, "A newer picture"],
    ])) {
      part.setAttribute("aria-label", word);
      part.title = word;
    }
    this.steps.append(this.#undo, this.#redo, picture);
    this.#drafting.append(
      button("", () => this.#board.cancel(), "Cancel"),
      this.#done,
    );
    this.#board.addEventListener("draft", () => this.show());
    this.append(this.#begin, this.#drafting);
    this.show();
  }

  show() {
    const draft = this.#board.draft;
    this.#begin.hidden = draft !== null;
    this.#drafting.hidden = draft === null;
    this.#undo.disabled = !this.#drawing.canUndo;
    this.#redo.disabled = !this.#drawing.canRedo;
    if (!draft) return;
    const missing = fewest(draft.kind) - draft.points.length;
    this.#done.disabled = missing > 0;
    if (draft.kind === "line")
      this.#hint.textContent = draft.points.length === 0 ? "Press where it begins" : "Press where it ends";
    else this.#hint.textContent = missing > 0 ? "Press for each corner" : "Press for more, or on the first to close it";
  }
}

customElements.define("place-tools", PlaceTools);
