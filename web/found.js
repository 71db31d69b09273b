// @ts-check
// The events that were found: as many as were asked for so far, newest first, and what has been told since. No DOM.

import { page } from "./archive.js";
import { Refusal } from "./request.js";
import { EVERYTHING, fits } from "./search.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {import("./search.js").Search} Search */

const AT_ONCE = 200;

/** Dispatches "change" whenever there is something else to show. */
export class Found extends EventTarget {
  /** @type {KeptEvent[]} */
  events = [];
  /** Whether these are all there are. */
  complete = false;
  /** @type {Refusal | null} why the last question was not answered */
  failure = null;
  /** Whether new ones are held back, lest they move what somebody looks at. */
  holding = false;
  /** @type {Search} */
  #search = EVERYTHING;
  /** @type {KeptEvent[]} newest last */
  #held = [];
  /** @type {string | null} */
  #cursor = null;
  /** @type {AbortController | null} the question that is under way */
  #asking = null;

  get asking() {
    return this.#asking !== null;
  }

  /** How many are held back. */
  get held() {
    return this.#held.length;
  }

  /** Forgets what was found, and looks for this.
   * @param {Search} search
   */
  search(search) {
    this.forget();
    this.#search = search;
    return this.more();
  }

  forget() {
    this.#asking?.abort();
    [this.#asking, this.#cursor, this.failure, this.complete] = [null, null, null, false];
    [this.events, this.#held] = [[], []];
    this.#told();
  }

  /** Asks for those before the last one, once at a time. */
  async more() {
    if (this.#asking || this.complete) return;
    const asking = (this.#asking = new AbortController());
    this.failure = null;
    try {
      const { events, cursor } = await page(this.#search, this.#cursor, AT_ONCE, asking.signal);
      if (asking.signal.aborted) return;
      const known = new Set(this.events.map(({ id }) => id));
      this.events.push(...events.filter(({ id }) => !known.has(id)));
      [this.#cursor, this.complete] = [cursor, cursor === null];
    } catch (error) {
      if (asking.signal.aborted) return;
      this.failure = error instanceof Refusal ? error : new Refusal("The server’s answer cannot be understood.");
    }
    this.#asking = null;
    this.#told();
  }

  /** Whether anything was missed: asks for the newest once more. */
  async catchUp() {
    if (this.events.length === 0) return this.failure || this.complete ? this.search(this.#search) : undefined;
    const search = this.#search;
    const newest = await page(search, null, AT_ONCE).catch(() => null);
    if (search === this.#search) newest?.events.reverse().forEach((event) => this.take(event));
  }

  /** An event as it is now, which may be a new one.
   * @param {KeptEvent} event
   */
  take(event) {
    for (const list of [this.events, this.#held]) {
      const at = list.findIndex(({ id }) => id === event.id);
      const known = list[at];
      if (!known) continue;
      if (known.changed > event.changed) return;
      list[at] = event; // also where it no longer fits: what one looks at does not vanish
      return this.#told();
    }
    const last = this.events.at(-1);
    const within = last ? this.complete || event.id > last.id : this.complete;
    if (!within || !fits(this.#search, event)) return;
    if (this.holding) this.#held.push(event);
    else this.#insert(event);
    this.#told();
  }

  /** Shows those that were held back. */
  release() {
    if (this.#held.length === 0) return;
    this.#held.splice(0).forEach((event) => this.#insert(event));
    this.#told();
  }

  /** @param {string} id of one that is no more */
  drop(id) {
    this.events = this.events.filter((event) => event.id !== id);
    this.#held = this.#held.filter((event) => event.id !== id);
    this.#told();
  }

  /** @param {string} id */
  indexOf(id) {
    return this.events.findIndex((event) => event.id === id);
  }

  /** @param {KeptEvent} event */
  #insert(event) {
    const at = this.events.findIndex(({ id }) => id < event.id);
    this.events.splice(at < 0 ? this.events.length : at, 0, event);
  }

  #told() {
    this.dispatchEvent(new Event("change"));
  }
}
