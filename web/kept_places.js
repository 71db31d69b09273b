// @ts-check
// Zones, lines and masks of one stream as the server keeps them: read, saved, and looked for in its configuration. No DOM.

import { administration } from "./administration.js";
import { placesOf, read, shapesOf } from "./places.js";
import { request } from "./request.js";
import { withToken } from "./token.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */

export class KeptPlaces {
  /** What the model tells apart; empty while that is not known.
   * @type {string[]}
   */
  labels = [];
  /** Whether events are made, which is what zones and lines are for. */
  watched = true;
  /** Whether what is kept is known. */
  known = false;
  /** Whether what is drawn was written down for the configuration file, and is looked for there. */
  awaited = false;
  /** Whether somebody looks at it: what comes later is not drawn over another stream's. */
  open = true;
  /** What was read last is known by. */
  #tag = "";
  #looking = false;

  /**
   * @param {string} stream
   * @param {Drawing} drawing that begins with what is kept
   */
  constructor(stream, drawing) {
    this.stream = stream;
    this.drawing = drawing;
  }

  /** @throws {import("./request.js").Refusal} */
  async load() {
    const { places, tag } = await read(this.stream);
    if (!this.open) return;
    [this.#tag, this.known] = [tag, true];
    this.drawing.load(places);
  }

  /** What else there is to know of the stream; without an answer classes are typed. */
  async ask() {
    const response = await request("GET", `api/streams/${encodeURIComponent(this.stream)}`).catch(() => null);
    /** @type {{ labels?: string[], makes_events?: boolean } | undefined} */
    const found = await response?.json();
    if (found) [this.labels, this.watched] = [found.labels ?? [], found.makes_events !== false];
  }

  /**
   * Has what is drawn now be kept.
   *
   * @param {boolean} over whatever somebody else has drawn meanwhile
   * @returns {Promise<boolean>} false when the person gave up
   * @throws {import("./request.js").Refusal}
   */
  async save(over) {
    const places = this.drawing.places;
    return withToken(async (token) => {
      this.#tag = await administration.draw(this.stream, places, over ? "" : this.#tag, token);
      if (this.open) this.drawing.keep(places);
    });
  }

  /** Whether the configuration has by now what was written down for it. */
  async look() {
    if (this.#looking || !this.awaited) return false;
    this.#looking = true;
    const found = await read(this.stream).catch(() => null);
    this.#looking = false;
    const there = found && placesOf(shapesOf(found.places));
    if (!this.open || !found || JSON.stringify(there) !== JSON.stringify(this.drawing.places)) return false;
    [this.#tag, this.awaited] = [found.tag, false];
    this.drawing.keep();
    return true;
  }
}
