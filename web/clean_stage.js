// @ts-check
// The canvas on which a camera's own pictures are painted with their boxes, in one go: no box is ever seen on another
// picture than its own. Without a page: it also runs where pictures are decoded.

import { fitted } from "./box_paint.js";
import { LivePaint } from "./live_paint.js";
import { WHOLE, placed } from "./zoom.js";

/** @typedef {import("./live_paint.js").Drawn} Drawn */
/** @typedef {import("./recorded_boxes.js").Box} Box */
/** @typedef {import("./zoom.js").Look} Look */
/** @typedef {{ width: number, height: number, density: number }} Screen pixels; of them for one of the screen's units */
/** @typedef {{ image: CanvasImageSource, width: number, height: number, boxes: Box[], predicted: boolean }} Shown */

export class CleanStage {
  /** @type {Look} */
  look = WHOLE;
  #canvas;
  #context;
  #paint = new LivePaint();
  /** @type {Shown | null} */
  #shown = null;

  /** @param {OffscreenCanvas | HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = /** @type {import("./live_paint.js").Context | null} */ (canvas.getContext("2d", { alpha: false }));
  }

  /** @param {Drawn} drawn */
  set drawn(drawn) {
    this.#paint.drawn = drawn;
  }

  /** Takes the size of the place that it has on the screen.
   * @param {Screen} screen
   */
  resize({ width, height, density }) {
    this.#paint.density = density;
    if (width === this.#canvas.width && height === this.#canvas.height) return;
    [this.#canvas.width, this.#canvas.height] = [width, height];
    this.repaint(); // at once: a canvas of another size is empty
  }

  /** @param {Shown} shown whose image is closed when another takes its place */
  show(shown) {
    const before = this.#shown?.image;
    this.#shown = shown;
    this.repaint();
    if (before && before !== shown.image && "close" in before) before.close();
  }

  /** Has its last picture to itself from now on: what plays it ends, and with it what it shows.
   * @param {HTMLCanvasElement} copy
   */
  keep(copy) {
    if (!this.#shown) return;
    const { image, width, height } = this.#shown;
    if (!("readyState" in image) || image.readyState < image.HAVE_CURRENT_DATA) return;
    [copy.width, copy.height] = [width, height];
    copy.getContext("2d", { alpha: false })?.drawImage(image, 0, 0, width, height);
    this.#shown = { ...this.#shown, image: copy };
  }

  repaint() {
    if (!this.#context || !this.#shown || this.#canvas.width === 0) return;
    const { image, boxes, predicted } = this.#shown;
    this.#paint.paint(
      this.#context,
      image,
      placed(this.look, fitted(this.#shown, this.#canvas), this.#canvas),
      boxes,
      predicted,
    );
  }

  /** @returns {Promise<Blob | null>} what is seen, as a file; null where there is nothing */
  async still() {
    if (!this.#shown) return null;
    const canvas = this.#canvas;
    if (!(canvas instanceof globalThis.OffscreenCanvas))
      return new Promise((resolve) => /** @type {HTMLCanvasElement} */ (canvas).toBlob(resolve, "image/png"));
    return canvas.convertToBlob({ type: "image/png" });
  }
}
