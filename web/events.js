// @ts-check
// <events-page>: what is kept of what was seen: filters, a day's timeline, thumbnails, and one of them large. The
// address says what is looked for and which one is large, so that both can be sent to somebody.

import { facets, one } from "./archive.js";
import { EventFilters } from "./filters.js";
import { EventGallery } from "./gallery.js";
import { EventTimeline } from "./timeline.js";
import { EventView } from "./event_view.js";
import { button, problem } from "./form.js";
import { Found } from "./found.js";
import { KeepingState } from "./keeping_state.js";
import { NothingFound } from "./nothing.js";
import { EVERYTHING, address, read } from "./search.js";
import { Told } from "./told.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {import("./feed.js").Stream} Stream */

/** Between two steps of a key that is held there is less. */
const REST_MS = 200;

export class EventsPage extends HTMLElement {
  #found = new Found();
  #filters = new EventFilters();
  #timeline = new EventTimeline();
  #gallery = new EventGallery();
  #view = new EventView();
  #nothing = new NothingFound();
  #keeping = new KeepingState();
  #missed = problem();
  #fresh = button("fresh start", () => this.#showHeld());
  #told = new Told({ onevent: (event) => this.#take(event), onopen: () => this.#found.catchUp() });
  #search = EVERYTHING;
  /** @type {string[]} that there are now */
  #streams = [];
  #shown = false;
  /** Whether the large view was opened from here, and not by the address: then the way back is the history's. */
  #opened = false;
  /** The event that the address names, or "". */
  #wanted = "";
  #frame = 0;
  /** The address follows once the steps are over: browsers refuse to have it changed at the rate of a key that is held. */
  #settling = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(
      this.#filters,
      this.#timeline,
      this.#keeping,
      this.#missed,
      this.#fresh,
      this.#gallery,
      this.#nothing,
      this.#view,
    );
    this.#fresh.hidden = true;
    this.#found.addEventListener("change", () => this.#soon());
    this.#filters.addEventListener("change", () => this.#replace(address(this.#filters.value)));
    this.#gallery.addEventListener("end", () => this.#found.failure || this.#found.more());
    this.#gallery.addEventListener("click", () => (this.#opened = true));
    this.#nothing.addEventListener("again", () => this.#again());
    this.#nothing.addEventListener("clear", () => this.#replace(address(EVERYTHING)));
    this.#timeline.addEventListener("chosen", (event) => {
      this.#opened = true;
      location.hash = address(this.#search, detail(event));
    });
    this.#timeline.addEventListener("day", (event) => this.#replace(address({ ...this.#search, day: detail(event) })));
    this.#view.addEventListener("step", (event) => this.#step(Number(detail(event))));
    this.#view.addEventListener("judged", (event) => this.#take(detail(event)));
    this.#view.addEventListener("removed", (event) => this.#drop(detail(event)));
    this.#view.addEventListener("left", () => this.#leave());
    document.addEventListener("scroll", () => this.#hold(), { passive: true });
    document.addEventListener("visibilitychange", () => this.#listen());
    window.addEventListener("pagehide", () => this.#told.stop());
  }

  /** @param {string | null} hash of the address, without its sign; null while it is not looked at */
  show(hash) {
    const before = this.#shown;
    this.#shown = hash !== null;
    this.hidden = !this.#shown;
    if (before !== this.#shown) this.#listen();
    if (hash === null) return before && this.forget();
    const { search, event } = read(hash);
    if (!before || address(search) !== address(this.#search)) {
      const elsewhere = !before || search.stream !== this.#search.stream;
      this.#search = search;
      this.#filters.value = search;
      this.#look();
      if (elsewhere) this.#name(search.stream);
      if (!before) window.scrollTo(0, 0);
    }
    if (this.#settling === 0) this.#enlarge(event);
  }

  /** Nothing of one person stays for the next. */
  forget() {
    [this.#search, this.#wanted] = [EVERYTHING, ""];
    this.#found.forget();
    this.#timeline.forget();
    this.#filters.forget();
    if (this.#view.shown) this.#view.close();
  }

  /** @param {Stream[]} streams */
  update(streams) {
    const names = streams.map(({ name }) => name);
    this.#timeline.streams = this.#streams = names;
    this.#filters.offer({ stream: names });
  }

  #again() {
    if (this.#found.events.length > 0) this.#found.more();
    else this.#look();
  }

  /** Offers what there is to look for. What is found says so too: without an answer nothing is amiss.
   * @param {string} stream whose events; "" for all
   */
  async #name(stream) {
    const found = await facets(stream).catch(() => null);
    if (!found || !this.#shown || stream !== this.#search.stream) return;
    const { streams, classes, zones, lines } = found;
    this.#filters.names = {
      stream: [...new Set([...this.#streams, ...streams])],
      label: classes,
      zone: zones,
      line: lines,
    };
    this.#filters.offer(names(this.#found.events));
  }

  #look() {
    this.#missed.textContent = "";
    this.#found.search(this.#search);
    this.#timeline.show(this.#search);
  }

  /** Once there is a list to add to, and as long as somebody looks at it. */
  #listen() {
    const { events, complete, failure } = this.#found;
    const possible = this.#shown && !document.hidden && failure?.status !== 404;
    this.#keeping.watch(possible);
    if (!possible) this.#told.stop();
    else if (events.length > 0 || complete) this.#told.start();
  }

  /** @param {string} hash */
  #replace(hash) {
    window.clearTimeout(this.#settling);
    this.#settling = 0;
    history.replaceState(history.state, "", hash);
    this.show(hash.slice(1));
  }

  /** @param {string} id of the event that the address names; "" for none */
  async #enlarge(id) {
    if (id === this.#wanted) return;
    this.#wanted = id;
    if (id !== "") this.#missed.textContent = "";
    if (id === "") return this.#view.shown && this.#view.close();
    const at = this.#found.indexOf(id);
    const event = this.#found.events[at] ?? (await one(id).catch((error) => this.#missing(error)));
    if (!event || this.#wanted !== id) return; // he has gone on meanwhile
    this.#display(event);
  }

  /** @param {KeptEvent} event */
  #display(event) {
    const at = this.#found.indexOf(event.id);
    const { events, complete } = this.#found;
    const place = at < 0 ? "" : `${at + 1} of ${events.length}${complete ? "" : "+"}`;
    this.#view.show(event, { newer: events[at - 1], older: at < 0 ? undefined : events[at + 1], place });
    if (at >= events.length - 2) this.#found.more();
  }

  /**
   * @param {Error} error
   * @returns {undefined}
   */
  #missing(error) {
    this.#replace(address(this.#search));
    this.#missed.textContent = error.message;
  }

  /** @param {number} by */
  #step(by) {
    const next = this.#found.events[this.#found.indexOf(this.#view.shown) + by];
    if (!next) return;
    this.#enlarge(next.id);
    window.clearTimeout(this.#settling);
    this.#settling = window.setTimeout(() => this.#settle(), REST_MS);
  }

  /** Has the address name the event that is shown. */
  #settle() {
    if (this.#settling === 0) return;
    window.clearTimeout(this.#settling);
    this.#settling = 0;
    history.replaceState(history.state, "", address(this.#search, this.#wanted));
  }

  /** The large view was closed. */
  #leave() {
    this.#settle();
    const [id, opened] = [this.#wanted, this.#opened];
    [this.#wanted, this.#opened] = ["", false];
    if (!this.#shown || id === "") return;
    if (opened) history.back();
    else this.#replace(address(this.#search));
    const at = this.#found.indexOf(id);
    if (at >= 0) this.#gallery.enter(at);
  }

  /** @param {KeptEvent} event as it is now */
  #take(event) {
    this.#found.take(event);
    this.#timeline.take(event);
    if (event.id === this.#view.shown) this.#display(event);
  }

  /** @param {string} id of one that is no more */
  #drop(id) {
    const at = this.#found.indexOf(id);
    this.#found.drop(id);
    this.#timeline.drop(id);
    const next = this.#found.events[Math.min(at, this.#found.events.length - 1)];
    if (at >= 0 && next) this.#replace(address(this.#search, next.id));
    else this.#view.close();
  }

  /** Who has scrolled down keeps what he looks at where it is. */
  #hold() {
    if (!this.#shown) return;
    this.#found.holding = !this.#gallery.atTop;
    if (!this.#found.holding) this.#found.release();
  }

  #showHeld() {
    this.#found.release();
    window.scrollTo(0, 0);
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const { events, held } = this.#found;
    this.#gallery.show(events, this.#search);
    this.#filters.offer(names(events));
    this.#fresh.hidden = held === 0;
    this.#fresh.textContent = held === 1 ? "1 new event" : `${held} new events`;
    this.#nothing.show(this.#found, this.#search);
    this.#listen();
    this.toggleAttribute("data-failing", this.#found.failure !== null && events.length === 0);
    this.#gallery.ariaBusy = this.#found.asking ? "true" : null;
    const event = events[this.#found.indexOf(this.#view.shown)];
    if (event) this.#display(event);
  }
}

/** @param {KeptEvent[]} events */
function names(events) {
  return {
    stream: events.map(({ stream }) => stream),
    label: events.map(({ label }) => label),
    zone: events.flatMap(({ zones }) => zones),
    line: events.flatMap(({ marks }) => marks.filter(({ kind }) => kind === "cross").map(({ where }) => where)),
  };
}

/** @param {Event} event of a part of this page */
function detail(event) {
  return /** @type {CustomEvent} */ (event).detail;
}

customElements.define("events-page", EventsPage);
