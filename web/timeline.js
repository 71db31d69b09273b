// @ts-check
// <event-timeline>: one day, a row a stream, each event in the colour of its class where and as long as it was.
// Dispatches "chosen" with an event's id, and "day" with another day.

import { page } from "./archive.js";
import { bounds, dayInWords, dayOf, daysLater } from "./clock.js";
import { element, tag } from "./details.js";
import { button } from "./form.js";
import { EVERYTHING, fits } from "./search.js";
import { TimelineRow } from "./timeline_row.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {import("./search.js").Search} Search */

const AT_ONCE = 1000;
/** More of a day are not drawn: they would be more than pixels. */
const MOST = 20_000;
const TICK_HOURS = 3;

export class EventTimeline extends HTMLElement {
  #day = element("h2", "");
  #later = button("later", () => this.#turn(1), "›");
  #count = element("span", "count");
  #legend = element("ul", "legend");
  #axis = element("div", "axis");
  #rows = element("div", "rows");
  /** @type {Map<string, TimelineRow>} */
  #of = new Map();
  /** @type {Map<string, KeptEvent>} */
  #events = new Map();
  /** @type {string[]} */
  #streams = [];
  #search = EVERYTHING;
  /** @type {AbortController | null} */
  #asking = null;
  #cut = false;
  #frame = 0;
  #midnight = 0;
  #resized = new ResizeObserver(() => this.#soon());

  connectedCallback() {
    if (this.childElementCount === 0) {
      const earlier = button("earlier", () => this.#turn(-1), "‹");
      earlier.setAttribute("aria-label", "The day before");
      this.#later.setAttribute("aria-label", "The day after");
      this.#axis.setAttribute("aria-hidden", "true");
      this.append(
        element("header", "day", earlier, this.#day, this.#later, this.#count, this.#legend),
        element("div", "rows-and-axis", this.#axis, this.#rows),
      );
    }
    this.#resized.observe(this);
  }

  disconnectedCallback() {
    this.#resized.disconnect();
  }

  /** The day that is shown. */
  get day() {
    return this.#search.day;
  }

  /** Streams that have a row whether something was seen or not.
   * @param {string[]} names
   */
  set streams(names) {
    if (names.join("\n") === this.#streams.join("\n")) return;
    this.#streams = names;
    this.#soon();
  }

  /** Asks for all of a day that fits.
   * @param {Search} search
   */
  async show(search) {
    this.forget();
    this.#search = { ...search, day: search.day || dayOf() };
    this.#day.textContent = dayInWords(this.day);
    this.#later.disabled = this.day >= dayOf();
    if (this.day === dayOf()) this.#midnight = window.setTimeout(() => this.#passed(search), this.#left());
    this.#soon();
    const asking = (this.#asking = new AbortController());
    /** @type {string | null} */
    let cursor = null;
    do {
      /** @type {{ events: KeptEvent[], cursor: string | null } | null} */
      const found = await page(this.#search, cursor, AT_ONCE, asking.signal).catch(() => null);
      if (!found || asking.signal.aborted) return; // the list below says why
      for (const event of found.events) this.#events.set(event.id, event);
      cursor = found.cursor;
      this.#soon();
    } while (cursor && this.#events.size < MOST);
    this.#cut = cursor !== null;
    this.#soon();
  }

  forget() {
    window.clearTimeout(this.#midnight);
    this.#asking?.abort();
    this.#events.clear();
    this.#cut = false;
  }

  /** An event as it is now.
   * @param {KeptEvent} event
   */
  take(event) {
    if (!this.#events.has(event.id) && !fits(this.#search, event)) return;
    this.#events.set(event.id, event);
    this.#soon();
  }

  /** @param {string} id of one that is no more */
  drop(id) {
    if (this.#events.delete(id)) this.#soon();
  }

  /** Milliseconds of this day. */
  #left() {
    return Math.max(1000 * bounds(this.day)[1] - Date.now(), 1);
  }

  /** The day that was shown as today is over; who chose it goes on looking at it.
   * @param {Search} search
   */
  #passed(search) {
    if (search.day === "") this.show(search);
    else this.#later.disabled = this.day >= dayOf();
  }

  /** @param {number} days */
  #turn(days) {
    this.dispatchEvent(new CustomEvent("day", { detail: daysLater(this.day, days) }));
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    if (this.#search.day === "" || this.clientWidth === 0) return;
    const sorted = [...this.#events.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const { stream } = this.#search;
    const known = this.#streams.filter((name) => !stream || name === stream);
    const names = [...new Set([...known, ...sorted.map((event) => event.stream)])].sort();
    for (const [name, row] of this.#of) {
      if (names.includes(name)) continue;
      row.remove();
      this.#of.delete(name);
    }
    const span = bounds(this.day);
    names.forEach((name, at) => {
      const row = this.#of.get(name) ?? new TimelineRow(name);
      this.#of.set(name, row);
      if (this.#rows.children[at] !== row) this.#rows.insertBefore(row, this.#rows.children[at] ?? null);
      row.show(
        sorted.filter((event) => event.stream === name),
        span,
      );
    });
    this.#drawAxis(span);
    this.#drawLegend(sorted);
    this.toggleAttribute("data-none", names.length === 0);
  }

  /** @param {[from: number, to: number]} span */
  #drawAxis([from, to]) {
    const [year = 0, month = 1, date = 1] = this.day.split("-").map(Number);
    const hours = Array.from({ length: 24 / TICK_HOURS + 1 }, (_, at) => at * TICK_HOURS);
    const ticks = hours.map((hour) => {
      const at = new Date(year, month - 1, date, hour).getTime() / 1000; // where clocks are changed, not hour × 3600
      const tick = element("span", "tick", `${String(hour).padStart(2, "0")}:00`);
      tick.style.setProperty("left", `${(100 * (at - from)) / (to - from)}%`);
      return tick;
    });
    this.#axis.replaceChildren(...ticks);
  }

  /** @param {KeptEvent[]} events */
  #drawLegend(events) {
    /** @type {Map<string, { class_id: number, count: number }>} */
    const classes = new Map();
    for (const { label, class_id } of events) {
      const known = classes.get(label);
      if (known) known.count++;
      else classes.set(label, { class_id, count: 1 });
    }
    const shown = [...classes].sort(([, a], [, b]) => b.count - a.count);
    this.#legend.replaceChildren(
      ...shown.map(([label, { class_id, count }]) =>
        element("li", "", tag({ label, class_id, finding: false }), element("b", "", ` ${count}`)),
      ),
    );
    const count = events.length === 1 ? "1 event" : `${events.length} events`;
    this.#count.textContent = this.#cut ? `the newest ${count}` : count;
  }
}

customElements.define("event-timeline", EventTimeline);
