// @ts-check
// <recorded-stage>: one stream's recorded picture with its boxes. Picture and boxes are painted on one canvas at once,
// so that no box is ever seen on another picture than its own.

import { fitted, paintBoxes } from "./box_paint.js";
import { element } from "./details.js";
import { RecordedVideo } from "./recorded_video.js";

/** @typedef {import("./recorded_boxes.js").Box} Box */
/** @typedef {{ hidden: Set<string>, least: number, shown: boolean }} Choice of boxes: classes that are not shown; least score */

/** More pixels than any screen has would only cost. */
const WIDEST = 3840;

export class RecordedStage extends HTMLElement {
  #video = /** @type {HTMLVideoElement} */ (element("video", ""));
  #canvas = /** @type {HTMLCanvasElement} */ (element("canvas", ""));
  #name = element("b", "");
  #words = element("p", "instead");
  #context = this.#canvas.getContext("2d", { alpha: false });
  /** @type {RecordedVideo | null} */
  #recorded = null;
  /** @type {Choice} */
  #choice = { hidden: new Set(), least: 0, shown: true };
  #resized = new ResizeObserver(() => this.#fit());
  /** @type {Map<string, string>} */
  #style = new Map();

  connectedCallback() {
    if (this.childElementCount === 0) {
      this.classList.add("screen");
      this.#video.tabIndex = -1;
      this.#video.setAttribute("aria-hidden", "true");
      this.#words.setAttribute("role", "status");
      this.append(this.#video, this.#canvas, this.#words, element("p", "head", this.#name));
    }
    this.#resized.observe(this);
  }

  disconnectedCallback() {
    this.#resized.disconnect();
    this.#recorded?.close();
    this.#recorded = null;
  }

  /** @param {string} stream whose recordings are shown from now on */
  open(stream) {
    this.#recorded?.close();
    const recorded = new RecordedVideo(stream, this.#video);
    this.#recorded = recorded;
    this.#name.textContent = stream;
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", `The recorded picture of ${stream}`);
    delete this.#canvas.dataset["painted"];
    recorded.addEventListener("picture", () => this.#paint());
    return recorded;
  }

  get recorded() {
    return this.#recorded;
  }

  /** @param {Choice} choice */
  set choice(choice) {
    this.#choice = choice;
    this.#paint();
  }

  /** @param {string} text in the picture's place; "" for none */
  say(text) {
    if (this.#words.textContent !== text) this.#words.textContent = text;
    this.toggleAttribute("data-instead", text !== "");
  }

  #fit() {
    const scale = Math.min(window.devicePixelRatio || 1, WIDEST / Math.max(1, this.clientWidth));
    const [width, height] = [Math.round(this.clientWidth * scale), Math.round(this.clientHeight * scale)];
    if (width === this.#canvas.width && height === this.#canvas.height) return;
    [this.#canvas.width, this.#canvas.height] = [width, height];
    this.#paint();
  }

  #paint() {
    const [context, recorded] = [this.#context, this.#recorded];
    if (!context || !recorded?.picture || this.#video.videoWidth === 0) return;
    const image = recorded.take();
    const { segment } = recorded.picture;
    const { videoWidth: width, videoHeight: height } = this.#video;
    const place = fitted({ width, height }, this.#canvas);
    if (place.width < this.#canvas.width || place.height < this.#canvas.height)
      context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.drawImage(image, place.x, place.y, place.width, place.height);
    if (image !== this.#video) /** @type {VideoFrame} */ (image).close();
    const boxes = this.#chosen();
    const size = recorded.boxes.sizeOf(segment.id) ?? { width, height };
    const font = "system-ui, sans-serif";
    if (boxes.length > 0) paintBoxes(context, place, size, boxes, { of: (name) => this.#valueOf(name), font });
    this.#canvas.dataset["painted"] = "";
  }

  /** @returns {Box[]} */
  #chosen() {
    const { hidden, least, shown } = this.#choice;
    if (!shown) return [];
    return (this.#recorded?.shownBoxes ?? []).filter(({ label, score }) => !hidden.has(label) && score >= least);
  }

  /** What a property of the page's is; asked for once, since that is slow and there are many boxes.
   * @param {string} name
   */
  #valueOf(name) {
    const known = this.#style.get(name) ?? getComputedStyle(this).getPropertyValue(name).trim();
    this.#style.set(name, known);
    return known;
  }
}

customElements.define("recorded-stage", RecordedStage);
