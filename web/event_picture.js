// @ts-check
// <event-picture>: what an event looked like at its best, with its box over it or without.

import { pictureOf } from "./archive.js";
import { colorOf } from "./class_color.js";
import { element } from "./details.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */

const SVG = "http://www.w3.org/2000/svg";

export class EventPicture extends HTMLElement {
  #image = /** @type {HTMLImageElement} */ (element("img", ""));
  #drawing = document.createElementNS(SVG, "svg");
  #box = document.createElementNS(SVG, "rect");
  #instead = element("p", "nothing");

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#image.addEventListener("load", () => this.#say(""));
    this.#image.addEventListener("error", () =>
      this.#say("The picture cannot be shown: it is gone, or the server is."),
    );
    this.#drawing.setAttribute("aria-hidden", "true");
    this.#drawing.append(this.#box);
    this.append(this.#image, this.#drawing, this.#instead);
  }

  /** @param {KeptEvent} event */
  show(event) {
    const { label, stream, box, width, height, class_id } = event;
    const [left, top, right, bottom] = box;
    const path = event.has_picture ? pictureOf(event, "picture") : "";
    this.#image.alt = `${label} at ${stream}`;
    if (path !== (this.#image.getAttribute("src") ?? "")) {
      if (path) this.#image.src = path;
      else this.#image.removeAttribute("src");
      this.#say(path ? "Loading the picture" : "This event has no picture");
    }
    this.#drawing.setAttribute("viewBox", `0 0 ${width} ${height}`); // fitted into the same room as the picture is
    this.#box.dataset.color = colorOf(class_id);
    const edges = { x: left, y: top, width: right - left, height: bottom - top };
    for (const [name, value] of Object.entries(edges)) this.#box.setAttribute(name, String(Math.max(0, value)));
  }

  /** @param {boolean} shown */
  set boxed(shown) {
    this.#drawing.toggleAttribute("hidden", !shown);
  }

  /** Has what comes next at hand.
   * @param {(KeptEvent | undefined)[]} events
   */
  prepare(events) {
    for (const event of events) if (event?.has_picture) new Image().src = pictureOf(event, "picture");
  }

  /** @param {string} text in the picture's place; "" where it is there */
  #say(text) {
    this.#instead.textContent = text;
    this.#image.hidden = text !== "";
  }
}

customElements.define("event-picture", EventPicture);
