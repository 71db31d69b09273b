// @ts-check
// What is being drawn on one stream: its shapes, which of them is chosen, and the way back through what was done. No DOM.

import { edges, middleOf, shifted, within } from "./geometry.js";
import { ANYTHING, MOST_PLACES, fewest, most, placesOf, shapesOf } from "./places.js";

/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./places.js").Asks} Asks */
/** @typedef {import("./places.js").Kind} Kind */
/** @typedef {import("./places.js").Places} Places */
/** @typedef {import("./places.js").Shape} Shape */

const MOST_STEPS = 200;

/** Dispatches "change" whenever there is something else to show. */
export class Drawing extends EventTarget {
  /** @type {readonly Shape[]} */
  #shapes = [];
  /** @type {(readonly Shape[])[]} what was before each step */
  #before = [];
  /** @type {(readonly Shape[])[]} what was taken back */
  #after = [];
  /** The step that goes on: typing and dragging are one. */
  #step = "";
  #kept = "";
  #chosen = 0;
  #next = 1;

  /** @returns {Shape[]} */
  get shapes() {
    return [...this.#shapes];
  }

  /** @returns {Places} */
  get places() {
    return placesOf(this.shapes);
  }

  /** Whether it is another than what is kept. */
  get changed() {
    return JSON.stringify(this.places) !== this.#kept;
  }

  get canUndo() {
    return this.#before.length > 0;
  }

  get canRedo() {
    return this.#after.length > 0;
  }

  /** @returns {Shape | undefined} */
  get chosen() {
    return this.shape(this.#chosen);
  }

  /** @param {number} id */
  shape(id) {
    return this.#shapes.find((shape) => shape.id === id);
  }

  /** Begins with what is kept.
   * @param {Places} places
   */
  load(places) {
    this.#shapes = shapesOf(places);
    this.#next = this.#shapes.length + 1;
    [this.#before, this.#after, this.#step, this.#chosen] = [[], [], "", 0];
    this.keep();
  }

  /** What is drawn now is kept, or was when it was sent.
   * @param {Places} [places]
   */
  keep(places = this.places) {
    this.#kept = JSON.stringify(places);
    this.#step = "";
    this.#tell();
  }

  /** @param {number} id 0 for none */
  choose(id) {
    if (this.#chosen === id) return;
    [this.#chosen, this.#step] = [id, ""];
    this.#tell();
  }

  /** The next change is a step of its own. */
  rest() {
    this.#step = "";
  }

  /**
   * @param {Kind} kind
   * @param {Point[]} points
   * @returns {number} its id; 0 where there are as many as may be
   */
  add(kind, points) {
    const alike = this.#shapes.filter((shape) => shape.kind === kind);
    if (alike.length >= MOST_PLACES) return 0;
    const id = this.#next++;
    const name = kind === "mask" ? "" : free(kind, alike);
    this.#become("", [...this.#shapes, { id, kind, name, points: points.map(within), asks: { ...ANYTHING } }]);
    this.choose(id);
    return id;
  }

  /** @param {number} id */
  remove(id) {
    if (this.#chosen === id) this.#chosen = 0;
    this.#become(
      "",
      this.#shapes.filter((shape) => shape.id !== id),
    );
  }

  /**
   * @param {number} id
   * @param {number} index
   * @param {Point} to
   */
  movePoint(id, index, to) {
    this.#change(id, `point ${index}`, ({ points }) => ({ points: points.with(index, within(to)) }));
  }

  /** Moves the whole of it.
   * @param {number} id
   * @param {Point[]} from where its points were
   * @param {number} dx
   * @param {number} dy
   */
  shift(id, from, dx, dy) {
    this.#change(id, "shift", () => ({ points: shifted(from, dx, dy) }));
  }

  /**
   * Adds a point on an edge.
   *
   * @param {number} id
   * @param {number} index of the edge
   * @param {Point} [at] left out: its middle
   * @returns {number} the new one's index; -1 where there is no room for it
   */
  insertPoint(id, index, at) {
    const shape = this.shape(id);
    const edge = shape && edges(shape.points, shape.kind !== "line")[index];
    if (!shape || !edge || shape.points.length >= most(shape.kind)) return -1;
    const point = within(at ?? middleOf(edge));
    this.#change(id, `point ${index + 1} new`, ({ points }) => ({ points: points.toSpliced(index + 1, 0, point) }));
    this.#step = `${id} point ${index + 1}`; // dragged on from there it is one step
    return index + 1;
  }

  /**
   * @param {number} id
   * @param {number} index
   * @returns {boolean} whether there are enough without it
   */
  removePoint(id, index) {
    const shape = this.shape(id);
    if (!shape || shape.points.length <= fewest(shape.kind)) return false;
    this.#change(id, "", ({ points }) => ({ points: points.toSpliced(index, 1) }));
    return true;
  }

  /** Has a line's other direction be forward.
   * @param {number} id
   */
  turn(id) {
    this.#change(id, "", ({ points }) => ({ points: points.toReversed() }));
  }

  /**
   * @param {number} id
   * @param {string} name
   */
  rename(id, name) {
    this.#change(id, "name", () => ({ name }));
  }

  /**
   * @param {number} id
   * @param {Partial<Asks>} asks
   */
  ask(id, asks) {
    this.#change(id, `ask ${Object.keys(asks)}`, (shape) => ({ asks: { ...shape.asks, ...asks } }));
  }

  undo() {
    this.#walk(this.#before, this.#after);
  }

  redo() {
    this.#walk(this.#after, this.#before);
  }

  /**
   * @param {number} id
   * @param {string} step what goes on with the same word is one step; "" is one by itself
   * @param {(shape: Shape) => Partial<Shape>} to
   */
  #change(id, step, to) {
    const shapes = this.#shapes.map((shape) => (shape.id === id ? { ...shape, ...to(shape) } : shape));
    this.#become(step && `${id} ${step}`, shapes);
  }

  /**
   * @param {string} step
   * @param {readonly Shape[]} shapes
   */
  #become(step, shapes) {
    if (JSON.stringify(shapes) === JSON.stringify(this.#shapes)) return;
    if (step === "" || step !== this.#step) this.#before = [...this.#before.slice(1 - MOST_STEPS), this.#shapes];
    [this.#shapes, this.#after, this.#step] = [shapes, [], step];
    this.#tell();
  }

  /**
   * @param {(readonly Shape[])[]} from
   * @param {(readonly Shape[])[]} to
   */
  #walk(from, to) {
    const shapes = from.pop();
    if (!shapes) return;
    to.push(this.#shapes);
    [this.#shapes, this.#step] = [shapes, ""];
    if (!this.chosen) this.#chosen = 0;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {Kind} kind
 * @param {readonly Shape[]} alike
 */
function free(kind, alike) {
  const taken = new Set(alike.map(({ name }) => name));
  let number = 1;
  while (taken.has(`${kind}-${number}`)) number++;
  return `${kind}-${number}`;
}
