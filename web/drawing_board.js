// @ts-check
// <drawing-board>: a picture, and what is drawn on it, by mouse, finger and keys.

import { BoardKeys } from "./board_keys.js";
import { BoardPointer } from "./board_pointer.js";
import { shapeNode, signs } from "./board_shapes.js";
import { element } from "./details.js";
import { called, fewest, most } from "./places.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./places.js").Kind} Kind */
/** @typedef {import("./places.js").Shape} Shape */
/** @typedef {{ kind: Kind, points: Point[], at: Point | null }} Draft what is being begun; `at` is where the pointer is */

const SVG = "http://www.w3.org/2000/svg";
/** What somebody begins with who has no pointer.
 * @type {Record<Kind, Point[]>}
 */
const FIRST = {
  zone: [[0.35, 0.35], [0.65, 0.35], [0.65, 0.75], [0.35, 0.75]], // prettier-ignore
  line: [[0.25, 0.6], [0.75, 0.6]], // prettier-ignore
  mask: [[0.4, 0.05], [0.6, 0.05], [0.6, 0.2], [0.4, 0.2]], // prettier-ignore
};

/** Dispatches "draft" when what is begun is another, "left" when no shape has the focus any more, and "said" with a
 * sentence for who listens. */
export class DrawingBoard extends HTMLElement {
  #image = /** @type {HTMLImageElement} */ (element("img", ""));
  #svg = document.createElementNS(SVG, "svg");
  #instead = element("p", "nothing");
  /** @type {Drawing} */
  #drawing;
  /** @type {Draft | null} */
  #draft = null;
  /** @type {BoardPointer} */
  #pointer;
  /** @type {BoardKeys} */
  #keys;
  #editable = false;
  /** @type {Map<string, SVGElement>} */
  #nodes = new Map();
  #aspect = 9 / 16;
  #resized = new ResizeObserver(() => this.#draw());

  /** @param {Drawing} drawing */
  constructor(drawing) {
    super();
    this.#drawing = drawing;
    this.#pointer = new BoardPointer(this, drawing, this.#svg);
    this.#keys = new BoardKeys(this, drawing, this.#svg);
    drawing.addEventListener("change", () => this.#draw());
  }

  connectedCallback() {
    if (this.childElementCount === 0) this.#build();
    this.#resized.observe(this);
  }

  disconnectedCallback() {
    this.#resized.disconnect();
  }

  #build() {
    this.#image.alt = "";
    this.#image.addEventListener("load", () => {
      this.aspect = this.#image.naturalHeight / this.#image.naturalWidth;
      this.#say("");
    });
    this.#image.addEventListener("error", () => this.#say("No picture of it can be had now. It can be drawn without."));
    this.#svg.setAttribute("role", "group");
    this.#image.hidden = true;
    this.append(this.#image, this.#instead, this.#svg);
  }

  /** Height of the picture by its width. */
  get aspect() {
    return this.#aspect;
  }

  set aspect(aspect) {
    if (!(aspect > 0 && Number.isFinite(aspect))) return;
    this.#aspect = aspect;
    this.style.setProperty("--shape", String(1 / aspect));
    this.#draw();
  }

  /** @param {string} label */
  set label(label) {
    this.#svg.setAttribute("aria-label", label);
  }

  /** @param {string} path of a still; "" where there is none */
  set picture(path) {
    if (path) this.#image.src = path;
    else this.#image.removeAttribute("src");
    if (!path) this.#image.hidden = true;
    this.#say(path ? "" : "There is no picture of it yet. It can be drawn without.");
  }

  get editable() {
    return this.#editable;
  }

  set editable(editable) {
    this.#editable = editable;
    if (!editable) this.#draft = null;
    if (!editable) this.#pointer.stop();
    this.#draw();
  }

  /** @returns {Draft | null} */
  get draft() {
    return this.#draft;
  }

  /**
   * @param {Kind} kind
   * @param {boolean} pointed whether there is a pointer to draw with; else a shape is there at once
   */
  begin(kind, pointed) {
    if (!pointed) return this.#add(kind, FIRST[kind]);
    this.#drawing.choose(0);
    this.#become({ kind, points: [], at: null });
    this.tell(kind === "line" ? "Press where it begins, then where it ends." : "Press for each corner.");
  }

  /** Makes a shape of what was begun, where there is enough of it. */
  finish() {
    const draft = this.#draft;
    if (!draft) return;
    const points = draft.points.filter((point, index) => String(point) !== String(draft.points[index - 1]));
    if (points.length < fewest(draft.kind)) return this.tell(`A ${draft.kind} has ${fewest(draft.kind)} points.`);
    this.#become(null);
    this.#add(draft.kind, points);
  }

  cancel() {
    this.#become(null);
  }

  /**
   * The next corner of what is begun; at the first one again it ends.
   *
   * @param {Point} at
   * @param {number} near what counts as the same place, a share of the width
   */
  place(at, near) {
    const draft = this.#draft;
    if (!draft) return;
    const [first] = draft.points;
    const away = first ? Math.hypot(at[0] - first[0], (at[1] - first[1]) * this.#aspect) : Infinity;
    if (draft.points.length >= 3 && away < near) return this.finish();
    this.#become({ ...draft, points: [...draft.points, at] });
    if (draft.points.length + 1 >= most(draft.kind)) this.finish();
  }

  /** Where the next corner would be.
   * @param {Point} at
   */
  aim(at) {
    if (this.#draft) this.#become({ ...this.#draft, at });
  }

  /** For who has no such key: adds a point after the last one he was at, or removes that.
   * @param {"add" | "remove"} what
   */
  point(what) {
    this.#keys.point(what);
  }

  /** Takes back the last point of what was begun. */
  back() {
    if (this.#draft) this.#become({ ...this.#draft, points: this.#draft.points.slice(0, -1) });
  }

  /** Leaves the chosen shape's points with the focus on one of them, or on the shape.
   * @param {number} id
   * @param {number} [index]
   */
  focusOn(id, index = -1) {
    this.#nodes.get(index < 0 ? `s${id}` : `s${id}p${index}`)?.focus();
  }

  /**
   * @param {Kind} kind
   * @param {Point[]} points
   */
  #add(kind, points) {
    const id = this.#drawing.add(kind, points);
    const shape = this.#drawing.shape(id);
    if (!shape) return this.tell("There are as many of these as may be.");
    this.focusOn(id, 0);
    this.tell(`${called(shape)}, ${points.length} points. The arrow keys move a point.`);
  }

  /** @param {Draft | null} draft */
  #become(draft) {
    const before = this.#draft;
    this.#draft = draft;
    this.toggleAttribute("data-drafting", draft !== null);
    this.#draw();
    if (before?.points !== draft?.points) this.dispatchEvent(new Event("draft"));
  }

  // ---- drawing

  #draw() {
    const { clientWidth: width, clientHeight: height } = this;
    if (width === 0 || height === 0) return;
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const board = { width, height, aspect: this.#aspect, editable: this.#editable };
    const chosen = this.#drawing.chosen;
    /** @type {Map<string, SVGElement>} */
    const nodes = new Map();
    for (const shape of this.#drawing.shapes)
      for (const [key, node] of shapeNode(shape, shape === chosen, board, this.#nodes)) nodes.set(key, node);
    if (this.#draft) nodes.set("draft", signs.draft(this.#draft, board, this.#nodes.get("draft")));
    for (const [key, node] of this.#nodes) if (nodes.get(key) !== node) node.remove();
    let next = null;
    for (const node of [...nodes.values()].reverse()) {
      if (node.nextSibling !== next || node.parentNode !== this.#svg) this.#svg.insertBefore(node, next);
      next = node;
    }
    this.#nodes = nodes;
  }

  /** @param {string} text in the picture's place; "" where it is there */
  #say(text) {
    this.#instead.textContent = text;
    this.#image.hidden = text !== "" || !this.#image.getAttribute("src");
  }

  /** Has a sentence heard.
   * @param {string} sentence
   */
  tell(sentence) {
    this.dispatchEvent(new CustomEvent("said", { detail: sentence }));
  }
}

customElements.define("drawing-board", DrawingBoard);
