// @ts-check
// <stream-places>: the zones and lines of a stream that is watched: what is in them, what went over them, and, where
// somebody wants that, where they are on the video.

import { plain } from "./board_shapes.js";
import { element } from "./details.js";
import { button } from "./form.js";
import { read, shapesOf } from "./places.js";
import { request } from "./request.js";
import { watching } from "./watching.js";

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./places.js").Shape} Shape */
/**
 * @typedef {object} Counts
 * @property {{ line: string, direction: "forward" | "backward", label: string, count: number }[]} crossings
 * @property {{ zone: string, label: string, count: number }[]} occupancy
 */

const SVG = "http://www.w3.org/2000/svg";
/** Of the drawing, while it is not known how large the video is; CSS pixels. */
const WIDTH = 1000;
const COUNTS_MS = 2000;
const PLACES_MS = 15_000;

export class StreamPlaces extends HTMLElement {
  /** Lies over the video. */
  overlay = document.createElementNS(SVG, "svg");
  #list = element("ul", "");
  #toggle = button("", () => watching.change({ zones: !this.#drawn }), "Show them on the video");
  #drawn = false;
  /** @type {Shape[]} */
  #shapes = [];
  /** @type {Counts} */
  #counts = { crossings: [], occupancy: [] };
  #aspect = 9 / 16;
  #countedAt = -Infinity;
  #readAt = -Infinity;
  #onchange = () => watching.choices.zones === this.#drawn || this.#turn(watching.choices.zones);

  connectedCallback() {
    watching.addEventListener("change", this.#onchange);
    if (this.childElementCount > 0) return;
    this.overlay.classList.add("drawn");
    this.overlay.setAttribute("aria-hidden", "true");
    this.append(this.#list, this.#toggle);
    this.#turn(watching.choices.zones);
  }

  disconnectedCallback() {
    watching.removeEventListener("change", this.#onchange);
  }

  /** What is known of the stream, once a second while it is large.
   * @param {Stream | null} stream null while nothing certain is
   */
  update(stream) {
    if (!stream) return;
    if (stream.width && stream.height) this.#aspect = stream.height / stream.width;
    const [now, path] = [performance.now(), `api/streams/${encodeURIComponent(stream.name)}/counts`];
    if (now - this.#readAt > PLACES_MS) {
      this.#readAt = now;
      this.#take(read(stream.name).then(({ places }) => (this.#shapes = shapesOf(places))));
    }
    if (now - this.#countedAt > COUNTS_MS && this.#shapes.some(({ kind }) => kind !== "mask")) {
      this.#countedAt = now;
      const answer = request("GET", path).then((response) => response.json());
      this.#take(answer.then((counts) => (this.#counts = counts)));
    }
  }

  /** @param {Promise<unknown>} news without which what was known stays */
  #take(news) {
    news.then(() => this.#draw()).catch(() => {});
  }

  /** @param {boolean} drawn */
  #turn(drawn) {
    this.#drawn = drawn;
    this.#toggle.setAttribute("aria-pressed", String(drawn));
    this.#toggle.textContent = drawn ? "Hide them on the video" : "Show them on the video";
    this.#draw();
  }

  #draw() {
    this.#toggle.hidden = this.#shapes.length === 0;
    const named = this.#shapes.filter(({ kind }) => kind !== "mask");
    const rows = named.map((shape) => {
      const count = element("span", "score", this.#said(shape));
      return element("li", "", element("span", "label", shape.name), count);
    });
    this.#list.replaceChildren(...(rows.length > 0 ? rows : [element("li", "none", "None are drawn")]));
    this.overlay.toggleAttribute("hidden", !this.#drawn);
    if (!this.#drawn) return;
    const { clientWidth, clientHeight } = this.overlay;
    const width = Math.min(clientWidth, clientHeight / this.#aspect) || WIDTH;
    const board = { width, height: width * this.#aspect, aspect: this.#aspect, editable: false };
    this.overlay.setAttribute("viewBox", `0 0 ${board.width} ${board.height}`);
    const shapes = this.#shapes.map((shape) =>
      shape.kind === "mask" ? shape : { ...shape, name: `${shape.name}  ${this.#said(shape)}` },
    );
    this.overlay.replaceChildren(...shapes.map((shape) => plain(shape, board)));
  }

  /** What is in a zone, or went over a line each way.
   * @param {Shape} shape
   */
  #said({ kind, name }) {
    const { crossings, occupancy } = this.#counts;
    if (kind === "zone") return String(sum(occupancy.filter(({ zone }) => zone === name)));
    /** @param {"forward" | "backward"} way */
    const over = (way) => sum(crossings.filter(({ line, direction }) => line === name && direction === way));
    return `→ ${over("forward")}  ← ${over("backward")}`;
  }
}

/** @param {{ count: number }[]} counts */
function sum(counts) {
  return counts.reduce((total, { count }) => total + count, 0);
}

customElements.define("stream-places", StreamPlaces);
