// @ts-check
// <event-gallery>: thumbnails of events, as many elements as the window has room for, whatever number was found.
// Dispatches "end" when one comes near the last.

import { briefly } from "./clock.js";
import { element, tag } from "./details.js";
import { pictureOf } from "./archive.js";
import { EVERYTHING, address } from "./search.js";
import { said } from "./verdict.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {import("./search.js").Search} Search */
/** @typedef {{ item: HTMLLIElement, event: KeptEvent | null, search: Search | null }} Cell */

const LEAST_WIDTH = 160;
/** Height of the words under a picture, and between two of them; styles/gallery.css has the same. */
const WORDS_HEIGHT = 58;
const GAP = 16;
const PICTURE_RATIO = 16 / 9;
/** Rows above and below the window that are there already. */
const BEYOND = 2;
/** What is scrolled past faster than this is not fetched. */
const REST_MS = 70;

export class EventGallery extends HTMLElement {
  #list = /** @type {HTMLUListElement} */ (element("ul", "cells"));
  /** @type {Map<number, Cell>} what is shown, by its place */
  #cells = new Map();
  /** @type {Cell[]} for what comes next */
  #free = [];
  /** @type {KeptEvent[]} */
  #events = [];
  #search = EVERYTHING;
  #columns = 1;
  #rowHeight = 1;
  #frame = 0;
  #rest = 0;
  /** The one that Tab comes to. */
  #entry = 0;
  #resized = new ResizeObserver(() => this.#soon());
  #onscroll = () => this.#soon();

  connectedCallback() {
    if (this.childElementCount === 0) {
      this.#list.setAttribute("role", "list");
      this.#list.setAttribute("aria-label", "Events");
      this.#list.addEventListener("keydown", (event) => this.#walk(event));
      this.append(this.#list);
    }
    this.#resized.observe(this);
    document.addEventListener("scroll", this.#onscroll, { passive: true });
    window.addEventListener("resize", this.#onscroll);
  }

  disconnectedCallback() {
    this.#resized.disconnect();
    document.removeEventListener("scroll", this.#onscroll);
    window.removeEventListener("resize", this.#onscroll);
  }

  /**
   * @param {KeptEvent[]} events newest first
   * @param {Search} search by which they were found, for the addresses
   */
  show(events, search) {
    [this.#events, this.#search] = [events, search];
    this.#entry = Math.min(this.#entry, Math.max(0, events.length - 1));
    this.#draw();
  }

  /** Whether the first of them can be seen. */
  get atTop() {
    return this.getBoundingClientRect().top > -this.#rowHeight / 2;
  }

  /** Moves the focus to one of them, and the window with it.
   * @param {number} place
   */
  enter(place) {
    const top = this.getBoundingClientRect().top + Math.floor(place / this.#columns) * this.#rowHeight;
    const bottom = top + this.#rowHeight;
    if (top < 60) window.scrollBy(0, top - 60);
    else if (bottom > window.innerHeight) window.scrollBy(0, bottom - window.innerHeight);
    this.#entry = place;
    this.#draw();
    this.#cells.get(place)?.item.querySelector("a")?.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const focused = [...this.#cells].find(([, { item }]) => item.contains(document.activeElement))?.[0];
    if (focused === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.#events.length - 1;
    const place = {
      ArrowRight: focused + 1,
      ArrowLeft: focused - 1,
      ArrowDown: focused + this.#columns,
      ArrowUp: focused - this.#columns,
      Home: 0,
      End: last,
    }[event.key];
    if (place === undefined || place < 0 || place > last) return;
    event.preventDefault();
    this.enter(place);
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const width = this.clientWidth;
    if (width === 0) return;
    this.#columns = Math.max(2, Math.floor((width + GAP) / (LEAST_WIDTH * (width > 700 ? 1.25 : 1) + GAP)));
    const cellWidth = (width - GAP * (this.#columns - 1)) / this.#columns;
    this.#rowHeight = Math.round(cellWidth / PICTURE_RATIO) + WORDS_HEIGHT + GAP;
    const rows = Math.ceil(this.#events.length / this.#columns);
    this.#list.style.setProperty("height", `${Math.max(0, rows * this.#rowHeight - GAP)}px`);
    this.#list.style.setProperty("--cell-width", `${cellWidth}px`);
    const above = -this.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(above / this.#rowHeight) - BEYOND) * this.#columns;
    const until = (Math.ceil((above + window.innerHeight) / this.#rowHeight) + BEYOND) * this.#columns;
    this.#place(first, Math.min(until, this.#events.length), cellWidth);
    if (until + 3 * this.#columns >= this.#events.length) this.dispatchEvent(new Event("end"));
    window.clearTimeout(this.#rest);
    this.#rest = window.setTimeout(() => this.#fetch(), REST_MS);
  }

  /**
   * @param {number} first place that is shown
   * @param {number} until
   * @param {number} cellWidth CSS pixels
   */
  #place(first, until, cellWidth) {
    for (const [place, cell] of this.#cells) {
      const kept = place >= first && place < until;
      if (kept || (cell.item.contains(document.activeElement) && place < this.#events.length)) continue;
      this.#cells.delete(place);
      this.#free.push(cell);
    }
    for (let place = first; place < until; place++)
      if (!this.#cells.has(place)) this.#cells.set(place, this.#free.pop() ?? blank());
    this.#free.splice(0).forEach(({ item }) => item.remove());
    // In their order, which is that of Tab and of a screen reader; what is in its place already is not touched.
    let next = null;
    for (const place of [...this.#cells.keys()].sort((a, b) => b - a)) {
      const cell = /** @type {Cell} */ (this.#cells.get(place));
      if (cell.item.nextSibling !== next || !cell.item.isConnected) this.#list.insertBefore(cell.item, next);
      next = cell.item;
      const x = (place % this.#columns) * (cellWidth + GAP);
      const y = Math.floor(place / this.#columns) * this.#rowHeight;
      cell.item.style.setProperty("translate", `${x}px ${y}px`);
      this.#fill(cell, place);
    }
  }

  /**
   * @param {Cell} cell
   * @param {number} place
   */
  #fill(cell, place) {
    const event = /** @type {KeptEvent} */ (this.#events[place]);
    const link = /** @type {HTMLAnchorElement} */ (cell.item.querySelector("a"));
    cell.item.setAttribute("aria-posinset", String(place + 1));
    cell.item.setAttribute("aria-setsize", String(this.#events.length));
    link.tabIndex = place === this.#entry ? 0 : -1;
    if (cell.event === event && cell.search === this.#search) return;
    if (cell.event?.id !== event.id) {
      cell.item.querySelector("img")?.removeAttribute("src");
      cell.item.removeAttribute("data-lost");
    }
    [cell.event, cell.search] = [event, this.#search];
    link.href = address(this.#search, event.id);
    link.setAttribute("aria-label", said(event));
    cell.item.dataset.reviewed = event.reviewed ?? "";
    cell.item.toggleAttribute("data-bookmarked", event.bookmarked);
    cell.item.toggleAttribute("data-pictured", event.has_picture);
    const [what, when] = /** @type {HTMLElement[]} */ ([...cell.item.querySelectorAll("p")]);
    what?.replaceChildren(tag({ ...event, finding: false }), element("b", "", `${Math.round(event.score * 100)} %`));
    when?.replaceChildren(element("span", "", briefly(event.began_at)), element("span", "where", event.stream));
  }

  #fetch() {
    for (const { item, event } of this.#cells.values()) {
      const image = item.querySelector("img");
      if (image && event?.has_picture && !image.hasAttribute("src")) image.src = pictureOf(event, "thumbnail");
    }
  }
}

/** @returns {Cell} */
function blank() {
  const image = /** @type {HTMLImageElement} */ (element("img", ""));
  image.alt = "";
  image.decoding = "async";
  image.addEventListener("error", () => image.closest("li")?.setAttribute("data-lost", "")); // it was let go meanwhile
  const picture = element("span", "thumbnail", element("span", "nothing", "No picture"), image);
  const link = element("a", "", picture, element("p", "what"), element("p", "when"));
  return { item: /** @type {HTMLLIElement} */ (element("li", "cell", link)), event: null, search: null };
}

customElements.define("event-gallery", EventGallery);
