// @ts-check
// A board by keys. On a shape or a point the arrow keys move it, with Shift further; Delete removes it, + adds a point
// after one, Enter leads to the points, Escape leaves them.

import { signs } from "./board_shapes.js";
import { said } from "./board_pointer.js";
import { called, fewest, most } from "./places.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./drawing_board.js").DrawingBoard} DrawingBoard */
/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./places.js").Shape} Shape */

/** Shares of the picture's width. */
const STEP = 0.005;
const LARGE_STEP = 0.05;
/** @type {Record<string, Point>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class BoardKeys {
  /** @type {DrawingBoard} */
  #board;
  /** @type {Drawing} */
  #drawing;
  /** The point that had the focus last. */
  #last = 0;

  /**
   * @param {DrawingBoard} board
   * @param {Drawing} drawing
   * @param {SVGSVGElement} svg what has the focus in it
   */
  constructor(board, drawing, svg) {
    [this.#board, this.#drawing] = [board, drawing];
    svg.addEventListener("focusin", (event) => this.#enter(event));
    svg.addEventListener("keydown", (event) => this.#press(event));
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

  /** @param {FocusEvent} event */
  #enter({ target }) {
    const node = /** @type {Element} */ (target);
    const id = said(node, "id", 0);
    this.#last = said(node, "point", 0);
    if (id && !this.#board.draft) this.#drawing.choose(id);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const node = /** @type {Element} */ (event.target);
    const shape = this.#drawing.shape(said(node, "id", 0));
    if (!shape || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = said(node, "point", -1);
    const arrow = ARROWS[event.key];
    const editable = this.#board.editable;
    if (arrow && editable) this.#nudge(shape, index, arrow, event);
    else if (event.key === "Escape") this.#leave(shape, index);
    else if (event.key === "Enter" && index < 0) this.#board.focusOn(shape.id, 0);
    else if (!editable) return;
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
    const [dx, dy] = [x * step, (y * step) / this.#board.aspect];
    const point = shape.points[index];
    if (point) this.#drawing.movePoint(shape.id, index, [point[0] + dx, point[1] + dy]);
    else this.#drawing.shift(shape.id, shape.points, dx, dy);
    const now = this.#drawing.shape(shape.id)?.points[Math.max(0, index)];
    if (now) this.#board.tell(signs.where(now));
  }

  /**
   * @param {Shape} shape
   * @param {number} index
   */
  #leave(shape, index) {
    if (index >= 0) return this.#board.focusOn(shape.id);
    this.#drawing.choose(0);
    this.#board.dispatchEvent(new Event("left"));
  }

  /**
   * @param {Shape} shape
   * @param {number} index
   */
  #remove(shape, index) {
    if (index < 0) {
      this.#drawing.remove(shape.id);
      this.#board.dispatchEvent(new Event("left"));
      return this.#board.tell(`${called(shape)} is deleted. Undo brings it back.`);
    }
    if (!this.#drawing.removePoint(shape.id, index))
      return this.#board.tell(`A ${shape.kind} has at least ${fewest(shape.kind)} points.`);
    const left = this.#drawing.shape(shape.id)?.points.length ?? 0;
    this.#board.focusOn(shape.id, Math.min(index, left - 1));
    this.#board.tell(`The point is removed; ${left} are left.`);
  }

  /**
   * @param {Shape} shape
   * @param {number} after
   */
  #insert(shape, after) {
    const index = this.#drawing.insertPoint(shape.id, after);
    if (index < 0) return this.#board.tell(`A ${shape.kind} has ${most(shape.kind)} points at the most.`);
    this.#board.focusOn(shape.id, index);
    this.#board.tell("A point is added.");
  }
}
