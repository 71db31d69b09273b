// @ts-check
// What is known of one stream's recordings on one day: when there are any, and what was seen. Dispatches "change". No DOM.

import { page } from "./archive.js";
import { bounds, dayOf, daysLater } from "./clock.js";
import { SAME } from "./reel.js";
import { days, index } from "./recordings.js";
import { EVERYTHING } from "./search.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {import("./recordings.js").Span} Span */
/** @typedef {import("./request.js").Refusal} Refusal */

const EVENTS_AT_ONCE = 1000;
/** More of a day are not marked: they would be more than pixels. */
const MOST_EVENTS = 5000;
/** Of a day that goes on. */
const AGAIN_MS = 5000;
/** As far back as one is led to recordings, seconds. */
const LONG_S = 400 * 86_400;
/** What ends so shortly ago goes on, seconds. */
const FRESH_S = 20;

export class RecordedDay extends EventTarget {
  /** @type {Span[]} oldest first */
  spans = [];
  /** @type {KeptEvent[]} oldest first */
  events = [];
  /** @type {Refusal | null} */
  failure = null;
  /** Whether the server has said what is recorded. */
  isKnown = false;
  #stream;
  #day = "";
  #asking = new AbortController();
  #timer = 0;

  /** @param {string} stream */
  constructor(stream) {
    super();
    this.#stream = stream;
  }

  get stream() {
    return this.#stream;
  }

  /** @param {string} day as a date field has it */
  async show(day) {
    if (day === this.#day) return;
    this.forget();
    this.#day = day;
    this.#changed();
    await this.#ask(this.#asking.signal);
    this.#askEvents(this.#asking.signal);
  }

  forget() {
    window.clearTimeout(this.#timer);
    this.#asking.abort();
    this.#asking = new AbortController();
    [this.spans, this.events, this.failure, this.isKnown, this.#day] = [[], [], null, false, ""];
  }

  /** @param {number} at */
  has(at) {
    return this.spans.some(({ from, to }) => from <= at + SAME && at < to - SAME);
  }

  /** When the next is recorded from a time on; null where none is that day.
   * @param {number} at
   */
  next(at) {
    return this.spans.find(({ to }) => to > at + SAME)?.from ?? null;
  }

  /** Whether at that time more is still being recorded.
   * @param {number} at
   */
  isGrowing(at) {
    const end = this.spans.at(-1)?.to ?? 0;
    return at > end - 1 && at < end + FRESH_S && end > Date.now() / 1000 - FRESH_S;
  }

  /**
   * What is recorded last of all.
   *
   * @returns {Promise<Span | null>}
   */
  async newest() {
    const day = await this.neighbour(daysLater(dayOf(), 1), -1);
    if (day === this.#day && this.spans.length > 0) return this.spans.at(-1) ?? null;
    if (day === null) return null;
    const [from, to] = bounds(day);
    const found = await index(this.#stream, from, to, "spans").catch(() => null);
    return found?.spans.at(-1) ?? null;
  }

  /**
   * The next day that has recordings.
   *
   * @param {string} day
   * @param {number} by -1 for the one before
   * @returns {Promise<string | null>} null where there is none
   */
  async neighbour(day, by) {
    const [from, to] = bounds(day);
    const asked = by < 0 ? days(this.#stream, from - LONG_S, from) : days(this.#stream, to, Date.now() / 1000 + 1);
    const found = (await asked.catch(() => [])).map((each) => each.day).sort();
    return (by < 0 ? found.findLast((each) => each < day) : found.find((each) => each > day)) ?? null;
  }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    window.clearTimeout(this.#timer);
    const [from, to] = bounds(this.#day);
    try {
      this.spans = (await index(this.#stream, from, to, "spans", signal)).spans;
      [this.failure, this.isKnown] = [null, true];
    } catch (error) {
      if (signal.aborted) return;
      this.failure = /** @type {Refusal} */ (error);
    }
    if (signal.aborted) return;
    this.#changed();
    if (this.#day === dayOf() || this.failure) this.#timer = window.setTimeout(() => this.#again(signal), AGAIN_MS);
  }

  /** @param {AbortSignal} signal */
  async #again(signal) {
    await this.#ask(signal);
    if (!signal.aborted) await this.#askEvents(signal);
  }

  /** @param {AbortSignal} signal */
  async #askEvents(signal) {
    const search = { ...EVERYTHING, stream: this.#stream, day: this.#day };
    /** @type {KeptEvent[]} */
    const events = [];
    /** @type {string | null} */
    let cursor = null;
    do {
      /** @type {{ events: KeptEvent[], cursor: string | null } | null} */
      const found = await page(search, cursor, EVENTS_AT_ONCE, signal).catch(() => null);
      if (!found || signal.aborted) return; // recordings are worth seeing without
      events.push(...found.events);
      cursor = found.cursor;
    } while (cursor && events.length < MOST_EVENTS);
    this.events = events.sort((a, b) => a.began_at - b.began_at);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
