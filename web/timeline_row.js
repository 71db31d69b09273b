// @ts-check
// <timeline-row>: the events of one stream on one day, drawn on one canvas however many they are; the arrow keys go
// from one to the next, and Enter or a press opens it. Dispatches "chosen" with its id; it bubbles.

import { briefly } from "./clock.js";
import { colorOf } from "./class_color.js";
import { element } from "./details.js";
import { howLong } from "./verdict.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */

/** How far off an event may be pointed at; a finger is thick. CSS pixels. */
const REACH = 14;
const LEAST_WIDTH = 2;

export class TimelineRow extends HTMLElement {
  #name;
  #canvas = /** @type {HTMLCanvasElement} */ (element("canvas", ""));
  #tip = element("span", "tip");
  #track = element("div", "track", this.#canvas, this.#tip);
  /** @type {KeptEvent[]} oldest first */
  #events = [];
  /** @type {[from: number, to: number]} seconds since 1970 */
  #span = [0, 1];
  /** The one that is pointed at; -1 for none. */
  #at = -1;
  /** The one that the keys are at; what comes and goes does not move them. */
  #id = "";

  /** @param {string} name of the stream */
  constructor(name) {
    super();
    this.#name = name;
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const track = this.#track;
    track.tabIndex = 0;
    track.setAttribute("role", "slider");
    track.setAttribute("aria-label", this.#name);
    this.#tip.hidden = true;
    this.#tip.setAttribute("aria-hidden", "true"); // the track says the same
    track.addEventListener("pointermove", ({ clientX }) => this.#point(this.#nearest(clientX)));
    track.addEventListener("pointerleave", () => this.#point(-1));
    track.addEventListener("click", ({ clientX }) => this.#choose(this.#nearest(clientX)));
    track.addEventListener("focus", () => track.matches(":focus-visible") && this.#point(this.#current));
    track.addEventListener("blur", () => this.#point(-1));
    track.addEventListener("keydown", (event) => this.#walk(event));
    this.append(element("span", "row-name", this.#name), track);
  }

  /**
   * @param {KeptEvent[]} events oldest first
   * @param {[from: number, to: number]} span of the day, seconds since 1970
   */
  show(events, span) {
    [this.#events, this.#span] = [events, span];
    if (this.#at >= 0) this.#point(this.#current);
    else this.#tell();
    this.#draw();
  }

  /** Where the keys are: at the newest, as long as they have not been used. */
  get #current() {
    const at = this.#events.findIndex(({ id }) => id === this.#id);
    return at < 0 ? this.#events.length - 1 : at;
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.#events.length - 1;
    const at = this.#current;
    if (event.key === "Enter" || event.key === " ") this.#choose(at);
    const step = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: last }[
      event.key
    ];
    if (step === undefined && event.key !== " ") return;
    event.preventDefault();
    if (step !== undefined) this.#point(Math.min(Math.max(step, 0), last));
  }

  /** @param {number} at */
  #choose(at) {
    const id = this.#events[at]?.id;
    if (id) this.dispatchEvent(new CustomEvent("chosen", { detail: id, bubbles: true }));
  }

  /** @param {number} at the event pointed at, by its place; -1 for none */
  #point(at) {
    this.#at = at;
    const event = this.#events[at];
    this.#tip.hidden = !event;
    if (event) {
      this.#id = event.id;
      const share = this.#share(event.began_at);
      this.#tip.textContent = words(event);
      this.#tip.style.setProperty("left", `${share * 100}%`);
      this.#tip.style.setProperty("translate", `${-share * 100}% 0`);
    }
    this.#track.classList.toggle("reached", event !== undefined);
    this.#tell();
    this.#draw();
  }

  #tell() {
    const event = this.#events[this.#current];
    const count = this.#events.length;
    this.#track.setAttribute("aria-valuemin", count > 0 ? "1" : "0");
    this.#track.setAttribute("aria-valuemax", String(count));
    this.#track.setAttribute("aria-valuenow", String(event ? this.#current + 1 : 0));
    this.#track.setAttribute("aria-valuetext", event ? `${words(event)}; of ${count}` : "nothing");
  }

  /** @param {number} at seconds since 1970 */
  #share(at) {
    const [from, to] = this.#span;
    return Math.min(Math.max((at - from) / (to - from), 0), 1);
  }

  /**
   * @param {number} clientX
   * @returns {number} -1 where none is near
   */
  #nearest(clientX) {
    const { left, width } = this.#track.getBoundingClientRect();
    let [best, least] = [-1, REACH];
    this.#events.forEach((event, at) => {
      const [x0, x1] = [this.#share(event.began_at) * width, this.#share(event.last_at) * width];
      const x = clientX - left;
      const off = x < x0 ? x0 - x : Math.max(0, x - x1);
      if (off < least) [best, least] = [at, off];
    });
    return best;
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#track;
    const scale = window.devicePixelRatio || 1;
    [this.#canvas.width, this.#canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    const context = this.#canvas.getContext("2d");
    if (!context || width === 0) return;
    const style = getComputedStyle(this);
    context.scale(scale, scale);
    for (const event of this.#events) {
      const x = this.#share(event.began_at) * width;
      context.globalAlpha = event.reviewed === "false" ? 0.3 : 0.9;
      context.fillStyle = style.getPropertyValue(`--class-${colorOf(event.class_id)}`);
      context.fillRect(x, 4, Math.max(LEAST_WIDTH, this.#share(event.last_at) * width - x), height - 8);
    }
    const event = this.#events[this.#at];
    if (!event) return;
    const x = this.#share(event.began_at) * width;
    context.globalAlpha = 1;
    context.strokeStyle = style.getPropertyValue("--on-screen");
    context.lineWidth = 2;
    context.strokeRect(x - 1, 2, Math.max(LEAST_WIDTH, this.#share(event.last_at) * width - x) + 2, height - 4);
  }
}

/** @param {KeptEvent} event */
function words(event) {
  return `${event.label}, ${briefly(event.began_at)}, ${howLong(event)}`;
}

customElements.define("timeline-row", TimelineRow);
