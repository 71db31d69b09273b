// @ts-check
// <picture-stage>: one picture that somebody gave, large, with its boxes. Dispatches "pointed" with the thing that the
// pointer is on, or null, and "chosen" with the one that is pressed.

import { fitted } from "./box_paint.js";
import { element } from "./details.js";
import { paintFound, paintPicture } from "./picture_paint.js";
import { PictureStyle } from "./picture_style.js";

/** @typedef {import("./detecting.js").Detection} Detection */
/** @typedef {import("./sent_picture.js").Pixels} Pixels */
/** @typedef {import("./sent_picture.js").SentPicture} SentPicture */

/** Of a picture that is shown, and of the canvas: more than screens have would only cost. */
export const MOST_PIXELS = 3840;

export class PictureStage extends HTMLElement {
  #canvas = /** @type {HTMLCanvasElement} */ (element("canvas", ""));
  #said = element("span", "");
  #bar = /** @type {HTMLProgressElement} */ (element("progress", ""));
  #words = element("p", "said", this.#said, this.#bar);
  #context = this.#canvas.getContext("2d");
  #style = new PictureStyle(this);
  /** @type {SentPicture | null} */
  #picture = null;
  /** What of it is decoded, and what was decoded last: before the answer it is another one than behind it. */
  #wanted = "";
  #decoded = "";
  /** @type {Pixels | null} */
  #pixels = null;
  /** @type {Detection[]} */
  #found = [];
  /** @type {Detection | null} */
  #pointed = null;
  #resized = new ResizeObserver(() => this.#fit());

  connectedCallback() {
    if (this.childElementCount === 0) {
      this.classList.add("screen");
      this.#canvas.setAttribute("role", "img");
      this.append(this.#canvas, this.#words);
      this.#canvas.addEventListener("pointermove", (event) => this.#point(event));
      this.#canvas.addEventListener("pointerleave", () => this.#tell("pointed", null));
      this.#canvas.addEventListener("click", (event) => this.#tell("chosen", this.#at(event)));
    }
    this.#resized.observe(this);
  }

  disconnectedCallback() {
    this.#resized.disconnect();
  }

  /**
   * @param {SentPicture | null} picture
   * @param {Detection[]} found those of its boxes that are shown
   */
  show(picture, found) {
    this.#found = found;
    if (!picture || picture !== this.#picture) this.#leave();
    this.#picture = picture;
    if (picture) this.#decode(picture);
    this.#say(picture);
    this.#paint();
  }

  /** @param {Detection | null} detection alone in full colour */
  set pointed(detection) {
    if (detection === this.#pointed) return;
    this.#pointed = detection;
    this.#paint();
  }

  /** What is decoded of the one that is shown. */
  get pixels() {
    return this.#pixels;
  }

  #leave() {
    this.#pixels?.bitmap.close();
    [this.#pixels, this.#wanted, this.#decoded, this.#pointed] = [null, "", "", null];
    delete this.#canvas.dataset["painted"];
  }

  /** @param {SentPicture} picture */
  async #decode(picture) {
    const wanted = picture.looked ? "upright" : "as it is";
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    const pixels = await picture.pixels(MOST_PIXELS).catch(() => null);
    if (picture !== this.#picture || wanted !== this.#wanted) return pixels?.bitmap.close();
    this.#pixels?.bitmap.close();
    [this.#pixels, this.#decoded] = [pixels, wanted];
    if (pixels) this.style.setProperty("--shape", `${pixels.size.width} / ${pixels.size.height}`);
    this.#paint();
    this.dispatchEvent(new Event("decoded"));
  }

  /** @param {SentPicture | null} picture */
  #say(picture) {
    const text = picture ? wordsOf(picture) : "";
    if (this.#said.textContent !== text) this.#said.textContent = text;
    this.#bar.hidden = picture?.state !== "sending" && picture?.state !== "looking";
    if (picture?.state === "looking") this.#bar.removeAttribute("value");
    else this.#bar.value = picture?.share ?? 0;
    this.#words.hidden = text === "";
    this.#words.toggleAttribute("data-failed", picture?.state === "failed");
    const count = this.#found.length;
    const things = count === 1 ? "1 thing" : `${count} things`;
    this.#canvas.setAttribute(
      "aria-label",
      picture?.looked ? `${picture.name}: ${things} found` : (picture?.name ?? ""),
    );
  }

  #fit() {
    const ratio = this.#ratio;
    const [width, height] = [Math.round(this.clientWidth * ratio), Math.round(this.clientHeight * ratio)];
    if (width === this.#canvas.width && height === this.#canvas.height) return;
    [this.#canvas.width, this.#canvas.height] = [width, height];
    this.#paint();
  }

  get #ratio() {
    return Math.min(window.devicePixelRatio || 1, MOST_PIXELS / Math.max(1, this.clientWidth));
  }

  #paint() {
    const [context, pixels] = [this.#context, this.#pixels];
    context?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    if (!context || !pixels) return;
    const place = fitted(pixels.size, this.#canvas);
    paintPicture(context, place, pixels, this.#style);
    this.#canvas.dataset["painted"] = "";
    delete this.#canvas.dataset["boxes"];
    if (!this.#picture?.looked || this.#decoded !== "upright") return;
    const what = { found: this.#found, pointed: this.#pointed, ratio: this.#ratio };
    paintFound(context, place, pixels.size, what, this.#style);
    this.#canvas.dataset["boxes"] = String(this.#found.length);
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const found = this.#at(event);
    this.#canvas.toggleAttribute("data-on", found !== null);
    this.#tell("pointed", found);
  }

  /**
   * The smallest box at a place: those in others could not be pointed at otherwise.
   *
   * @param {MouseEvent} event
   */
  #at({ offsetX, offsetY }) {
    const looked = this.#picture?.looked;
    if (!looked) return null;
    const place = fitted(looked, { width: this.clientWidth, height: this.clientHeight });
    const x = ((offsetX - place.x) / place.width) * looked.width;
    const y = ((offsetY - place.y) / place.height) * looked.height;
    const here = this.#found.filter(({ box: [x0, y0, x1, y1] }) => x >= x0 && x <= x1 && y >= y0 && y <= y1);
    return here.sort((a, b) => area(a) - area(b))[0] ?? null;
  }

  /**
   * @param {string} name
   * @param {Detection | null} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** @param {SentPicture} picture */
function wordsOf({ state, share, problem }) {
  if (state === "failed") return problem;
  if (state === "waiting") return problem ? `${problem} It is asked again soon.` : "Waiting for its turn";
  if (state === "sending") return `Sending, ${Math.round(share * 100)} %`;
  return state === "looking" ? "Looking at it…" : "";
}

/** @param {Detection} detection */
function area({ box: [x0, y0, x1, y1] }) {
  return (x1 - x0) * (y1 - y0);
}

customElements.define("picture-stage", PictureStage);
