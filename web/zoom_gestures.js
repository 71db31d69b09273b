// @ts-check
// Looking closer at one tile's picture: by wheel, two fingers, a double click, and keys. What is drawn by the server is
// stretched; the page's own canvas is painted anew, and what lies over both follows.

import { fitted } from "./box_paint.js";
import { WHOLE, closer, moved, placed } from "./zoom.js";

/** @typedef {import("./sight.js").Sight} Sight */
/** @typedef {import("./zoom.js").Size} Size */
/** @typedef {{ x: number, y: number }} Point */

const STEP = 1.25;
const DOUBLE_CLICK = 2.5;
/** Of the room, by a key. */
const PAN = 0.15;
/** Of a wheel's pixels: a notch is a hundred of them, as a rule. */
const WHEEL = 0.0022;

export class ZoomGestures {
  #room;
  #sight;
  #isOn;
  #size;
  /** Where fingers, or the mouse, are.
   * @type {Map<number, Point>}
   */
  #pointers = new Map();

  /**
   * @param {HTMLElement} room that the picture is fitted into
   * @param {Sight} sight
   * @param {object} of the tile
   * @param {() => boolean} of.isOn whether it is large: a small one is a link
   * @param {() => Size} of.size of the picture, pixels
   */
  constructor(room, sight, { isOn, size }) {
    this.#room = room;
    this.#sight = sight;
    this.#isOn = isOn;
    this.#size = size;
    room.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    room.addEventListener("dblclick", (event) => this.#double(event));
    room.addEventListener("pointerdown", (event) => this.#down(event));
    room.addEventListener("pointermove", (event) => this.#move(event));
    for (const word of ["pointerup", "pointercancel"])
      room.addEventListener(word, (event) => this.#pointers.delete(/** @type {PointerEvent} */ (event).pointerId));
    sight.addEventListener("look", () => this.#stretch());
  }

  /** The whole picture again, where it is not the only one that is seen. */
  settle() {
    if (!this.#isOn() && this.#sight.look.scale > 1) this.#sight.look = WHOLE;
  }

  /**
   * @param {string} key
   * @returns {boolean} whether it means something here
   */
  press(key) {
    const { clientWidth: width, clientHeight: height } = this.#room;
    const middle = { x: width / 2, y: height / 2 };
    const ways = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const [x = 0, y = 0] = ways[/** @type {keyof typeof ways} */ (key)] ?? [];
    if (key === "+" || key === "=") this.#closer(STEP, middle);
    else if (key === "-") this.#closer(1 / STEP, middle);
    else if (key === "0") this.#sight.look = WHOLE;
    else if ((x || y) && this.#sight.look.scale > 1) this.#by({ x: x * PAN * width, y: y * PAN * height });
    else return false;
    return true;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!this.#isOn()) return;
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * 33;
    this.#closer(Math.exp(-WHEEL * Math.max(-300, Math.min(300, pixels))), this.#pointOf(event));
  }

  /** @param {MouseEvent} event */
  #double(event) {
    if (!this.#isOn() || isButton(event)) return;
    if (this.#sight.look.scale > 1) this.#sight.look = WHOLE;
    else this.#closer(DOUBLE_CLICK, this.#pointOf(event));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.#isOn() || isButton(event)) return;
    this.#pointers.set(event.pointerId, this.#pointOf(event));
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    if (event.pointerType === "mouse" && event.buttons === 0) {
      this.#pointers.delete(event.pointerId); // let go of where nothing was heard of it, as over a menu
      return;
    }
    const now = this.#pointOf(event);
    const [other] = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    this.#pointers.set(event.pointerId, now);
    if (other) {
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      this.#closer(factor, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    }
    const share = other ? 2 : 1; // of two fingers each moves the point between them by half
    if (this.#sight.look.scale > 1) this.#by({ x: (now.x - before.x) / share, y: (now.y - before.y) / share });
  }

  /**
   * @param {number} factor
   * @param {Point} point
   */
  #closer(factor, point) {
    this.#sight.look = closer(this.#sight.look, factor, point, this.#place, this.#whole);
  }

  /** @param {Point} by */
  #by(by) {
    this.#sight.look = moved(this.#sight.look, by, this.#place, this.#whole);
  }

  get #whole() {
    return { width: this.#room.clientWidth, height: this.#room.clientHeight };
  }

  get #place() {
    return fitted(this.#size(), this.#whole);
  }

  #stretch() {
    const { scale } = this.#sight.look;
    const [place, at] = [this.#place, placed(this.#sight.look, this.#place, this.#whole)];
    const [x, y] = [at.x - place.x * scale, at.y - place.y * scale];
    this.#room.toggleAttribute("data-close", scale > 1);
    for (const part of this.#room.querySelectorAll(":scope > :is(canvas, video, svg):not(.clean)"))
      /** @type {HTMLElement} */ (part).style.transform = scale > 1 ? `translate(${x}px, ${y}px) scale(${scale})` : "";
  }

  /** @param {MouseEvent} event */
  #pointOf({ clientX, clientY }) {
    const { left, top } = this.#room.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }
}

/** @param {Event} event */
function isButton({ target }) {
  return target instanceof Element && target.closest("button, a") !== null;
}

/**
 * @param {Point} a
 * @param {Point} b
 */
function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
