// @ts-check
// A board by mouse, pen and finger: what is pressed is chosen, and dragged; of what is being begun, each press is a corner.

import { nearest } from "./geometry.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./drawing_board.js").DrawingBoard} DrawingBoard */
/** @typedef {import("./geometry.js").Point} Point */
/**
 * @typedef {object} Drag
 * @property {number} pointer
 * @property {number} id of the shape
 * @property {number} index of the point; -1: the whole shape
 * @property {Point} begin where it was pressed
 * @property {Point[]} points where its points were
 * @property {boolean} moves whether it was dragged as far as is meant
 */

/** Shares of the board's width: what counts as the same place. */
const NEAR = { mouse: 0.012, pen: 0.02, touch: 0.035 };
/** CSS pixels that a press may tremble. */
const TREMBLE = { mouse: 2, pen: 4, touch: 6 };

export class BoardPointer {
  /** @type {DrawingBoard} */
  #board;
  /** @type {Drawing} */
  #drawing;
  /** @type {SVGSVGElement} */
  #svg;
  /** @type {Drag | null} */
  #drag = null;

  /**
   * @param {DrawingBoard} board
   * @param {Drawing} drawing
   * @param {SVGSVGElement} svg what is pressed
   */
  constructor(board, drawing, svg) {
    [this.#board, this.#drawing, this.#svg] = [board, drawing, svg];
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    svg.addEventListener("pointerup", (event) => this.#up(event));
    svg.addEventListener("pointercancel", () => this.stop());
    svg.addEventListener("dblclick", (event) => this.#split(event));
  }

  /** Lets go of what is dragged. */
  stop() {
    this.#drag = null;
    this.#drawing.rest();
  }

  /** @param {MouseEvent} event */
  #at({ clientX, clientY }) {
    const { left, top, width, height } = this.#svg.getBoundingClientRect();
    return /** @type {Point} */ ([(clientX - left) / (width || 1), (clientY - top) / (height || 1)]);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!event.isPrimary || event.button !== 0) return;
    if (this.#board.draft) {
      event.preventDefault();
      return this.#board.place(this.#at(event), kind(event, NEAR));
    }
    const target = /** @type {Element} */ (event.target);
    const id = said(target, "id", 0);
    if (!this.#drawing.shape(id)) return this.#drawing.choose(0);
    const was = this.#drawing.chosen?.id === id;
    this.#drawing.choose(id);
    if (!this.#board.editable) return;
    const edge = said(target, "edge", -1);
    const index = edge >= 0 ? this.#drawing.insertPoint(id, edge) : said(target, "point", -1);
    if (index < 0 && !was && event.pointerType === "touch") return; // a finger chooses first
    event.preventDefault();
    this.#board.focusOn(id, index);
    const points = this.#drawing.shape(id)?.points ?? [];
    this.#drag = { pointer: event.pointerId, id, index, begin: this.#at(event), points, moves: false };
    this.#svg.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#at(event);
    if (this.#board.draft && event.pointerType !== "touch") this.#board.aim(at);
    const drag = this.#drag;
    if (!drag || drag.pointer !== event.pointerId) return;
    const [dx, dy] = [at[0] - drag.begin[0], at[1] - drag.begin[1]];
    drag.moves ||= Math.hypot(dx * this.#svg.clientWidth, dy * this.#svg.clientHeight) > kind(event, TREMBLE);
    if (!drag.moves) return;
    const point = drag.points[drag.index];
    if (point) this.#drawing.movePoint(drag.id, drag.index, [point[0] + dx, point[1] + dy]);
    else this.#drawing.shift(drag.id, drag.points, dx, dy);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.#drag?.pointer === event.pointerId) this.stop();
  }

  /** A second press ends what was begun, and on an edge adds a point to it.
   * @param {MouseEvent} event
   */
  #split(event) {
    if (this.#board.draft) return this.#board.finish();
    const shape = this.#drawing.chosen;
    if (!shape || !this.#board.editable || shape.kind === "line") return;
    const found = nearest(shape.points, true, this.#at(event), this.#board.aspect);
    if (!found || found.distance > NEAR.mouse) return;
    this.#board.focusOn(shape.id, this.#drawing.insertPoint(shape.id, found.index, found.point));
  }
}

/**
 * @param {PointerEvent} event
 * @param {Record<"mouse" | "pen" | "touch", number>} of
 */
function kind({ pointerType }, of) {
  return of[/** @type {keyof typeof of} */ (pointerType)] ?? of.mouse;
}

/**
 * What a node, or one around it, says it is.
 *
 * @param {Element} node
 * @param {"id" | "point" | "edge"} what
 * @param {number} otherwise
 */
export function said(node, what, otherwise) {
  return Number(node.closest(`[data-${what}]`)?.getAttribute(`data-${what}`) ?? otherwise);
}
