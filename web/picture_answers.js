// @ts-check
// <picture-answers>: what was found in a picture, a row each, the surest first, and how each looks. Dispatches "pointed"
// with the thing that the pointer or the focus is on, or null.

import { element, tag } from "./details.js";
import { fitted } from "./box_paint.js";
import { paintPicture } from "./picture_paint.js";
import { PictureStyle } from "./picture_style.js";
import { table } from "./table.js";

/** @typedef {import("./detecting.js").Detection} Detection */
/** @typedef {import("./sent_picture.js").Pixels} Pixels */

/** Pixels of the page; styles/detect.css has the same. */
const [WIDTH, HEIGHT] = [72, 48];
/** What is shown around a thing, of its own size: half of it. */
const AROUND = 0.25;

export class PictureAnswers extends HTMLElement {
  #table = table("What was found", ["Thing", "Score", "Size"]);
  #none = element("p", "none");
  #style = new PictureStyle(this);
  /** @type {Map<Detection, { row: HTMLElement, button: HTMLButtonElement, canvas: HTMLCanvasElement }>} */
  #rows = new Map();

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(this.#table.node, this.#none);
    this.#table.node.addEventListener("pointerleave", () => this.#tell(null));
    this.#table.node.addEventListener("focusout", ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && this.contains(relatedTarget))) this.#tell(null);
    });
    this.#table.node.addEventListener("keydown", (event) => this.#walk(event));
  }

  /**
   * @param {Detection[]} found
   * @param {string} none what is said where there is nothing
   */
  show(found, none) {
    this.#none.textContent = found.length === 0 ? none : "";
    this.#table.node.hidden = found.length === 0;
    const sorted = [...found].sort((a, b) => b.score - a.score);
    const same = sorted.length === this.#rows.size && sorted.every((each, at) => [...this.#rows.keys()][at] === each);
    if (same) return;
    this.#table.clear();
    this.#rows.clear();
    for (const each of sorted) this.#add(each);
    const [first] = this.#rows.values();
    if (first) first.button.tabIndex = 0;
  }

  /** How each looks, once that is decoded.
   * @param {Pixels | null} pixels
   */
  paint(pixels) {
    for (const [detection, { canvas }] of this.#rows) {
      const context = canvas.getContext("2d");
      context?.clearRect(0, 0, canvas.width, canvas.height);
      if (!context || !pixels) continue;
      const part = around(detection.box, pixels.size);
      const place = fitted(part, canvas);
      const scale = place.width / part.width;
      const whole = { width: pixels.size.width * scale, height: pixels.size.height * scale };
      context.save();
      context.beginPath();
      context.rect(place.x, place.y, place.width, place.height);
      context.clip();
      paintPicture(
        context,
        { x: place.x - part.x * scale, y: place.y - part.y * scale, ...whole },
        pixels,
        this.#style,
      );
      context.restore();
    }
  }

  /** @param {Detection | null} detection */
  set pointed(detection) {
    for (const [each, { row }] of this.#rows) row.toggleAttribute("data-pointed", each === detection);
  }

  /** Goes to the row of a thing.
   * @param {Detection} detection
   */
  enter(detection) {
    const row = this.#rows.get(detection);
    row?.row.scrollIntoView({ block: "nearest" });
    row?.button.focus({ preventScroll: true });
  }

  /** @param {Detection} detection */
  #add(detection) {
    const [x0, y0, x1, y1] = detection.box;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", ""));
    [canvas.width, canvas.height] = [WIDTH * ratio, HEIGHT * ratio];
    const button = /** @type {HTMLButtonElement} */ (
      element("button", "thing", canvas, tag({ ...detection, finding: false }))
    );
    button.type = "button";
    button.tabIndex = -1;
    button.addEventListener("focus", () => this.#tell(detection));
    const size = `${Math.round(x1 - x0)} × ${Math.round(y1 - y0)}`;
    const row = this.#table.row([[button], [element("b", "", detection.score.toFixed(2))], [size]]);
    row.addEventListener("pointerenter", () => this.#tell(detection));
    this.#rows.set(detection, { row, button, canvas });
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const buttons = [...this.#rows.values()].map(({ button }) => button);
    const at = buttons.findIndex((each) => each === event.target);
    if (at < 0) return;
    event.preventDefault();
    const next = buttons[Math.min(Math.max(at + by, 0), buttons.length - 1)];
    for (const each of buttons) each.tabIndex = each === next ? 0 : -1;
    next?.focus();
  }

  /** @param {Detection | null} detail */
  #tell(detail) {
    this.dispatchEvent(new CustomEvent("pointed", { detail }));
  }
}

/**
 * A box with something around it, of the picture.
 *
 * @param {Detection["box"]} box
 * @param {{ width: number, height: number }} size
 */
function around([x0, y0, x1, y1], size) {
  const more = AROUND * Math.max(x1 - x0, y1 - y0);
  const [left, top] = [Math.max(0, x0 - more), Math.max(0, y0 - more)];
  const [right, bottom] = [Math.min(size.width, x1 + more), Math.min(size.height, y1 + more)];
  return { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

customElements.define("picture-answers", PictureAnswers);
