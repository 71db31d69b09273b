// @ts-check
// <clip-maker>: a marked span of one stream as a file: as it was recorded, or with its boxes drawn in, which the server
// takes a while for. Dispatches "marked" with the span's ends, and "closed".

import { bounds } from "./clock.js";
import { element } from "./details.js";
import { button, field, problem } from "./form.js";
import { Refusal } from "./request.js";
import { clipOf, dropRender, render, renderOf, rendering } from "./recordings.js";
import { clockAt } from "./time_axis.js";
import { lasted } from "./clock.js";
import { visitor } from "./visitor.js";

/** @typedef {import("./recordings.js").Render} Render */

const LOOK_MS = 500;

export class ClipMaker extends HTMLElement {
  #stream = "";
  #day = "";
  /** @type {[number, number]} */
  #span = [0, 0];
  /** @type {{ labels?: string[], min_score?: number }} of boxes that are drawn in */
  #chosen = {};
  #from = field("from", { type: "time", step: "1" });
  #to = field("to", { type: "time", step: "1" });
  #length = element("span", "length");
  #save = link("start save", "Save video");
  #drawn = button("drawn", () => this.#draw(), "Draw boxes in");
  #words = link("", "Boxes as VTT");
  #numbers = link("", "Boxes as JSON");
  #bar = /** @type {HTMLProgressElement} */ (element("progress", ""));
  #said = element("span", "said");
  #done = link("start", "Save it");
  #cancel = button("cancel", () => this.#drop(), "Cancel");
  #making = element("p", "making", this.#said, this.#bar, this.#done, this.#cancel);
  #problem = problem();
  /** @type {Render | null} */
  #render = null;
  #timer = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const times = element(
      "form",
      "filter",
      element("label", "", "From ", this.#from),
      element("label", "", "To ", this.#to),
    );
    times.addEventListener("submit", (event) => event.preventDefault());
    times.addEventListener("change", () => this.#read());
    const close = button("finish", () => this.dispatchEvent(new Event("closed")), "Done");
    this.#said.setAttribute("role", "status");
    this.#making.hidden = true;
    this.append(
      times,
      this.#length,
      element("p", "buttons", this.#save, this.#drawn, this.#words, this.#numbers, close),
      this.#making,
      this.#problem,
    );
  }

  disconnectedCallback() {
    window.clearTimeout(this.#timer);
  }

  /**
   * @param {string} stream
   * @param {string} day as a date field has it
   * @param {[number, number]} span
   * @param {{ labels?: string[], min_score?: number }} chosen of boxes that are drawn in
   */
  show(stream, day, span, chosen) {
    [this.#stream, this.#day, this.#span, this.#chosen] = [stream, day, span, chosen];
    const [from, to] = [Math.floor(span[0] * 1000) / 1000, Math.ceil(span[1] * 1000) / 1000];
    [this.#from.value, this.#to.value] = [clockAt(Math.floor(from), true), clockAt(Math.ceil(to), true)];
    this.#length.textContent = lasted(to - from);
    this.#save.href = clipOf(stream, from, to, "mp4");
    this.#words.href = clipOf(stream, from, to, "vtt");
    this.#numbers.href = clipOf(stream, from, to, "json");
    this.#drawn.hidden = !visitor.may("operate");
    this.#drawn.disabled = this.#isMaking;
  }

  get #isMaking() {
    return this.#render?.state === "waiting" || this.#render?.state === "running";
  }

  #read() {
    const [first] = bounds(this.#day);
    const [from, to] = [this.#from, this.#to].map(({ value }) => {
      const [hours = 0, minutes = 0, seconds = 0] = value.split(":").map(Number);
      const date = new Date(first * 1000);
      return date.setHours(hours, minutes, seconds) / 1000;
    });
    if (from === undefined || to === undefined || !(to > from)) {
      this.#problem.textContent = "The clip ends before it begins.";
      return;
    }
    this.#problem.textContent = "";
    this.dispatchEvent(new CustomEvent("marked", { detail: [from, to] }));
  }

  async #draw() {
    this.#problem.textContent = "";
    const [stream, [from, to]] = [this.#stream, this.#span];
    await this.#ask(async () => this.#follow(stream, await render(stream, { from, to, ...this.#chosen })));
  }

  async #drop() {
    const [stream, made] = [this.#stream, this.#render];
    window.clearTimeout(this.#timer);
    this.#render = null;
    this.#tell();
    if (made) await this.#ask(() => dropRender(stream, made.id));
  }

  /**
   * @param {string} stream
   * @param {Render} made
   */
  #follow(stream, made) {
    this.#render = made;
    this.#done.href = renderOf(stream, made.id);
    this.#tell();
    window.clearTimeout(this.#timer);
    if (!this.#isMaking) return;
    this.#timer = window.setTimeout(
      () =>
        this.#ask(async () => {
          const news = await rendering(stream, made.id);
          if (this.#render?.id === made.id) this.#follow(stream, news);
        }),
      LOOK_MS,
    );
  }

  #tell() {
    const made = this.#render;
    this.#making.hidden = made === null;
    this.#drawn.disabled = this.#isMaking;
    if (!made) return;
    this.#bar.hidden = !this.#isMaking;
    this.#bar.value = made.progress;
    this.#done.hidden = made.state !== "done";
    this.#cancel.textContent = this.#isMaking ? "Cancel" : "Dismiss";
    const megabytes = made.size ? `, ${(made.size / 1e6).toFixed(1)} MB` : "";
    this.#said.textContent = {
      waiting: "Waits for its turn",
      running: `Drawing the boxes in, ${Math.round(100 * made.progress)} %`,
      done: `With boxes${megabytes}`,
      failed: made.reason ?? "It could not be made",
      cancelled: "Cancelled",
    }[made.state];
  }

  /** @param {() => Promise<void>} act */
  async #ask(act) {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#problem.textContent = error.message;
      this.#render = null;
      this.#tell();
    }
  }
}

/**
 * @param {string} className
 * @param {string} words
 */
function link(className, words) {
  const node = /** @type {HTMLAnchorElement} */ (element("a", className, words));
  node.setAttribute("download", "");
  return node;
}

customElements.define("clip-maker", ClipMaker);
