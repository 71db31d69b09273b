// @ts-check
// <picture-strip>: the pictures that somebody gave, small, in a row: how far each is, and how much was found in it.
// Dispatches "chosen" with the one that is to be shown large.

import { element } from "./details.js";
import { paintPicture } from "./picture_paint.js";
import { PictureStyle } from "./picture_style.js";

/** @typedef {import("./sent_picture.js").SentPicture} SentPicture */
/** @typedef {{ item: HTMLLIElement, button: HTMLButtonElement, canvas: HTMLCanvasElement, badge: HTMLElement, bar: HTMLProgressElement, painted: string }} Small */

/** Pixels of the page; styles/detect.css has the same. */
const [WIDTH, HEIGHT] = [112, 72];

export class PictureStrip extends HTMLElement {
  #list = element("ul", "");
  #style = new PictureStyle(this);
  /** @type {Map<SentPicture, Small>} */
  #of = new Map();
  /** One is decoded at a time: each may be two hundred megabytes then. */
  #decoding = Promise.resolve();

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#list.setAttribute("role", "list");
    this.#list.setAttribute("aria-label", "Pictures");
    this.append(this.#list);
  }

  /**
   * @param {SentPicture[]} pictures
   * @param {SentPicture | null} shown
   * @param {(picture: SentPicture) => number} count of what is shown of it
   */
  show(pictures, shown, count) {
    for (const [picture, { item }] of this.#of) {
      if (pictures.includes(picture)) continue;
      item.remove();
      this.#of.delete(picture);
    }
    for (const picture of pictures) {
      const small = this.#of.get(picture) ?? this.#make(picture);
      const here = picture === shown;
      if (here && small.button.getAttribute("aria-current") !== "true") this.#turnTo(small);
      small.button.setAttribute("aria-current", String(here));
      small.button.tabIndex = here ? 0 : -1;
      const { state, share } = picture;
      small.item.dataset.state = state;
      small.bar.hidden = state !== "sending" && state !== "looking";
      if (state === "looking") small.bar.removeAttribute("value");
      else small.bar.value = share;
      const words = state === "done" ? String(count(picture)) : state === "failed" ? "!" : "";
      if (small.badge.textContent !== words) small.badge.textContent = words;
      small.button.setAttribute("aria-label", `${picture.name}, ${said(picture, count)}`);
      this.#paint(picture, small);
    }
    this.hidden = pictures.length < 2;
  }

  /** Has the one that is shown hold the focus. */
  enter() {
    const current = this.#list.querySelector("[aria-current=true]");
    if (current instanceof HTMLElement) current.focus();
  }

  /** @param {SentPicture} picture */
  #make(picture) {
    const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", ""));
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    [canvas.width, canvas.height] = [WIDTH * ratio, HEIGHT * ratio];
    const badge = element("b", "badge");
    const bar = /** @type {HTMLProgressElement} */ (element("progress", ""));
    const button = /** @type {HTMLButtonElement} */ (element("button", "", canvas, badge, bar));
    button.type = "button";
    button.title = picture.name;
    button.addEventListener("click", () => this.dispatchEvent(new CustomEvent("chosen", { detail: picture })));
    const item = /** @type {HTMLLIElement} */ (element("li", "", button));
    const small = { item, button, canvas, badge, bar, painted: "" };
    this.#of.set(picture, small);
    this.#list.append(item);
    return small;
  }

  /** @param {Small} small */
  #turnTo({ item }) {
    item.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /**
   * @param {SentPicture} picture
   * @param {Small} small
   */
  #paint(picture, small) {
    const wanted = picture.looked ? "upright" : "as it is";
    if (wanted === small.painted) return;
    small.painted = wanted;
    this.#decoding = this.#decoding.then(() => this.#decode(picture, small, wanted));
  }

  /**
   * @param {SentPicture} picture
   * @param {Small} small
   * @param {string} wanted of it
   */
  async #decode(picture, small, wanted) {
    const context = small.canvas.getContext("2d");
    if (!context || wanted !== small.painted || !small.item.isConnected) return;
    const pixels = await picture.pixels(3 * WIDTH).catch(() => null);
    if (!pixels) return;
    paintPicture(context, filling(pixels.size, small.canvas), pixels, this.#style);
    pixels.bitmap.close();
  }
}

/**
 * Where a picture lies that fills a room, and is cut to it.
 *
 * @param {{ width: number, height: number }} picture
 * @param {{ width: number, height: number }} room
 */
function filling(picture, room) {
  const scale = Math.max(room.width / picture.width, room.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { x: (room.width - width) / 2, y: (room.height - height) / 2, width, height };
}

/**
 * @param {SentPicture} picture
 * @param {(picture: SentPicture) => number} count
 */
function said(picture, count) {
  if (picture.state === "done") return `${count(picture)} found`;
  return { waiting: "waiting", sending: "being sent", looking: "being looked at", failed: "failed" }[picture.state];
}

customElements.define("picture-strip", PictureStrip);
