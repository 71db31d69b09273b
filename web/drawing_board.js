// @ts-check
// <drawing-board>: a picture, and what is drawn on it, by mouse, finger and keys. On a shape or a point the arrow keys
// move it, with Shift further; Delete removes it, + adds a point after one, Escape leaves it.

import { shapeNode, signs } from "./board_shapes.js";
import { element } from "./details.js";
import { called, fewest, most } from "./places.js";
import { nearest } from "./geometry.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./places.js").Kind} Kind */
/** @typedef {import("./places.js").Shape} Shape */
/** @typedef {{ kind: Kind, points: Point[], at: Point | null }} Draft what is being begun; `at` is where the pointer is */
/** @typedef {{ pointer: number, id: number, index: number, begin: Point, points: Point[] }} Drag index -1: the whole */

const SVG = "http://www.w3.org/2000/svg";
const STEP = 0.005;
const LARGE_STEP = 0.05;
/** Shares of the board's width: what counts as the same place, for a mouse and for a finger. */
const NEAR = { mouse: 0.012, pen: 0.02, touch: 0.035 };
/** @type {Record<string, Point>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** What somebody begins with who has no pointer.
 * @type {Record<Kind, Point[]>}
 */
const FIRST = {
  zone: [[0.35, 0.35], [0.65, 0.35], [0.65, 0.75], [0.35, 0.75]], // prettier-ignore
  line: [[0.25, 0.6], [0.75, 0.6]], // prettier-ignore
  mask: [[0.4, 0.05], [0.6, 0.05], [0.6, 0.2], [0.4, 0.2]], // prettier-ignore
};

/** Dispatches "draft" when one is begun or ended, and "said" with a sentence for who listens. */
export class DrawingBoard extends HTMLElement {
  #image = /** @type {HTMLImageElement} */ (element("img", ""));
  #svg = document.createElementNS(SVG, "svg");
  #instead = element("p", "nothing");
  /** @type {Drawing} */
  #drawing;
  /** @type {Draft | null} */
  #draft = null;
  /** @type {Drag | null} */
  #drag = null;
  #editable = false;
  /** The point that had the focus last. */
  #last = 0;
  /** @type {Map<string, SVGElement>} */
  #nodes = new Map();
  #aspect = 9 / 16;
  #resized = new ResizeObserver(() => this.#draw());

  /** @param {Drawing} drawing */
  constructor(drawing) {
    super();
    this.#drawing = drawing;
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
    this.#svg.addEventListener("pointerdown", (event) => this.#down(event));
    this.#svg.addEventListener("pointermove", (event) => this.#move(event));
    this.#svg.addEventListener("pointerup", (event) => this.#up(event));
    this.#svg.addEventListener("pointercancel", () => this.#drop());
    this.#svg.addEventListener("dblclick", (event) => this.#split(event));
    this.#svg.addEventListener("focusin", (event) => this.#enter(event));
    this.#svg.addEventListener("keydown", (event) => this.#press(event));
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
    if (!editable) this.#draft = this.#drag = null;
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
    this.#tell(kind === "line" ? "Press where it begins, then where it ends." : "Press for each corner.");
  }

  /** Makes a shape of what was begun, where there is enough of it. */
  finish() {
    const draft = this.#draft;
    if (!draft) return;
    const points = draft.points.filter((point, index) => String(point) !== String(draft.points[index - 1]));
    if (points.length < fewest(draft.kind)) return this.#tell(`A ${draft.kind} has ${fewest(draft.kind)} points.`);
    this.#become(null);
    this.#add(draft.kind, points);
  }

  cancel() {
    this.#become(null);
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
    if (!shape) return this.#tell("There are as many of these as may be.");
    this.focusOn(id, 0);
    this.#tell(`${called(shape)}, ${points.length} points. The arrow keys move a point.`);
  }

  /** @param {Draft | null} draft */
  #become(draft) {
    const was = this.#draft !== null;
    this.#draft = draft;
    this.toggleAttribute("data-drafting", draft !== null);
    this.#draw();
    if (was !== (draft !== null)) this.dispatchEvent(new Event("draft"));
  }

  // ---- by pointer

  /** @param {MouseEvent} event */
  #at({ clientX, clientY }) {
    const { left, top, width, height } = this.#svg.getBoundingClientRect();
    return /** @type {Point} */ ([(clientX - left) / (width || 1), (clientY - top) / (height || 1)]);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!event.isPrimary || event.button !== 0) return;
    if (this.#draft) return this.#place(event);
    const target = /** @type {Element} */ (event.target);
    const id = Number(target.closest("[data-id]")?.getAttribute("data-id") ?? 0);
    const shape = this.#drawing.shape(id);
    if (!shape) return this.#drawing.choose(0);
    const was = this.#drawing.chosen?.id === id;
    this.#drawing.choose(id);
    if (!this.#editable) return;
    let index = Number(target.closest("[data-point]")?.getAttribute("data-point") ?? -1);
    const edge = Number(target.closest("[data-edge]")?.getAttribute("data-edge") ?? -1);
    if (edge >= 0) index = this.#drawing.insertPoint(id, edge);
    if (index < 0 && edge < 0 && !was && event.pointerType === "touch") return; // a finger chooses first, and scrolls
    event.preventDefault();
    this.focusOn(id, index);
    const points = this.#drawing.shape(id)?.points ?? [];
    this.#drag = { pointer: event.pointerId, id, index, begin: this.#at(event), points };
    this.#svg.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #place(event) {
    const draft = this.#draft;
    if (!draft) return;
    event.preventDefault();
    const at = this.#at(event);
    const [first] = draft.points;
    const near = NEAR[/** @type {keyof typeof NEAR} */ (event.pointerType)] ?? NEAR.mouse;
    const closes = first && draft.points.length >= 3 && this.#distance(first, at) < near;
    if (closes) return this.finish();
    draft.points = [...draft.points, at];
    this.#become(draft);
    if (draft.points.length >= most(draft.kind)) this.finish();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#at(event);
    if (this.#draft && event.pointerType !== "touch") this.#become({ ...this.#draft, at });
    const drag = this.#drag;
    if (!drag || drag.pointer !== event.pointerId) return;
    const [dx, dy] = [at[0] - drag.begin[0], at[1] - drag.begin[1]];
    const point = drag.points[drag.index];
    if (point) this.#drawing.movePoint(drag.id, drag.index, [point[0] + dx, point[1] + dy]);
    else this.#drawing.shift(drag.id, drag.points, dx, dy);
  }

  /** A second press ends what was begun, and on an edge adds a point to it.
   * @param {MouseEvent} event
   */
  #split(event) {
    if (this.#draft) return this.finish();
    const shape = this.#drawing.chosen;
    if (!shape || !this.#editable || shape.kind === "line") return;
    const found = nearest(shape.points, true, this.#at(event), this.#aspect);
    if (!found || found.distance > NEAR.mouse) return;
    this.focusOn(shape.id, this.#drawing.insertPoint(shape.id, found.index, found.point));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.#drag?.pointer === event.pointerId) this.#drop();
  }

  #drop() {
    this.#drag = null;
    this.#drawing.rest();
  }

  /**
   * @param {Point} one
   * @param {Point} other
   */
  #distance([x1, y1], [x2, y2]) {
    return Math.hypot(x1 - x2, (y1 - y2) * this.#aspect);
  }

  // ---- by keys

  /** @param {FocusEvent} event */
  #enter({ target }) {
    const node = /** @type {Element} */ (target);
    const id = Number(node.closest("[data-id]")?.getAttribute("data-id") ?? 0);
    this.#last = Number(node.closest("[data-point]")?.getAttribute("data-point") ?? 0);
    if (id && !this.#draft) this.#drawing.choose(id);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const node = /** @type {Element} */ (event.target);
    const shape = this.#drawing.shape(Number(node.closest("[data-id]")?.getAttribute("data-id") ?? 0));
    if (!shape || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = Number(node.closest("[data-point]")?.getAttribute("data-point") ?? -1);
    const arrow = ARROWS[event.key];
    if (arrow && this.#editable) this.#nudge(shape, index, arrow, event);
    else if (event.key === "Escape") this.#leave(shape, index);
    else if (event.key === "Enter" && index < 0) this.focusOn(shape.id, 0);
    else if (!this.#editable) return;
    else if (event.key === "Delete" || event.key === "Backspace") this.#remove(shape, index);
    else if ((event.key === "+" || event.key === "Insert") && index >= 0) this.#insert(shape, index);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {Shape} shape
   * @param {number} index
   * @param {Point} way
   * @param {KeyboardEvent} event
   */
  #nudge(shape, index, [x, y], { shiftKey, repeat }) {
    if (!repeat) this.#drawing.rest();
    const step = shiftKey ? LARGE_STEP : STEP;
    const [dx, dy] = [x * step, (y * step) / this.#aspect];
    const point = shape.points[index];
    if (point) this.#drawing.movePoint(shape.id, index, [point[0] + dx, point[1] + dy]);
    else this.#drawing.shift(shape.id, shape.points, dx, dy);
    const now = this.#drawing.shape(shape.id)?.points[Math.max(0, index)];
    if (now) this.#tell(signs.where(now));
  }

  /**
   * @param {Shape} shape
   * @param {number} index
   */
  #leave(shape, index) {
    if (index >= 0) return this.focusOn(shape.id);
    this.#drawing.choose(0);
    this.dispatchEvent(new Event("left"));
  }

  /**
   * @param {Shape} shape
   * @param {number} index
   */
  #remove(shape, index) {
    if (index < 0) {
      this.#drawing.remove(shape.id);
      this.dispatchEvent(new Event("left"));
      return this.#tell(`${called(shape)} is removed.`);
    }
    if (!this.#drawing.removePoint(shape.id, index))
      return this.#tell(`A ${shape.kind} has at least ${fewest(shape.kind)} points.`);
    const left = this.#drawing.shape(shape.id)?.points.length ?? 0;
    this.focusOn(shape.id, Math.min(index, left - 1));
    this.#tell(`The point is removed; ${left} are left.`);
  }

  /**
   * @param {Shape} shape
   * @param {number} after
   */
  #insert(shape, after) {
    const index = this.#drawing.insertPoint(shape.id, after);
    if (index < 0) return this.#tell(`A ${shape.kind} has ${most(shape.kind)} points at the most.`);
    this.focusOn(shape.id, index);
    this.#tell("A point is added.");
  }

  /** For who has no such key: adds a point after the last one he was at, or removes that.
   * @param {"add" | "remove"} what
   */
  point(what) {
    const shape = this.#drawing.chosen;
    if (!shape) return;
    const index = Math.min(this.#last, shape.points.length - 1);
    if (what === "add") this.#insert(shape, index);
    else this.#remove(shape, index);
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

  /** @param {string} sentence */
  #tell(sentence) {
    this.dispatchEvent(new CustomEvent("said", { detail: sentence }));
  }
}

customElements.define("drawing-board", DrawingBoard);
