// @ts-check
// <recorded-line>: a day, or a part of it, of one or two streams: what is recorded, what was seen, and where one is.
// A press goes there, a drag looks along it, the wheel and two fingers zoom, the scale above is dragged along.
// Dispatches "seek" with { at, done } (done: the finger has gone up), "zoomed", and "marked" with the span's new ends.

import { element } from "./details.js";
import { ROW_HEIGHT, SCALE_HEIGHT, drawLine } from "./line_paint.js";
import { PEEK_S, ScrubPicture } from "./scrub_picture.js";
import { clockAt, momentAt, moved, pinched, shareOf, showing, worth, zoomed } from "./time_axis.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {import("./recordings.js").Span} Span */
/** @typedef {import("./time_axis.js").Stretch} Stretch */
/** @typedef {{ stream: string, spans: Span[], events: KeptEvent[] }} Row events: oldest first */
/** @typedef {"scrub" | "pan" | "from" | "to"} Grip what a finger holds */

/** How far from an edge it can be taken hold of, CSS pixels. */
const REACH = 10;
const WHEEL = 0.0022;
const STEP = 1.6;
/** So much of what is seen do the keys go. */
const KEY_SHARE = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01, PageDown: -0.1, PageUp: 0.1 };

export class RecordedLine extends HTMLElement {
  #canvas = /** @type {HTMLCanvasElement} */ (element("canvas", ""));
  #peek = new ScrubPicture();
  /** @type {Row[]} */
  #rows = [];
  /** @type {Stretch} */
  #day = [0, 86_400];
  /** @type {Stretch} */
  #seen = [0, 86_400];
  #at = 0;
  /** Whether nothing of this day has been shown yet. */
  #isFresh = true;
  /** @type {[number, number] | null} */
  #marked = null;
  /** Where the pointer is; null for nowhere.
   * @type {number | null}
   */
  #pointed = null;
  /** @type {Map<number, number>} where each finger is, by its id: shares */
  #fingers = new Map();
  /** @type {{ grip: Grip, share: number, seen: Stretch } | null} */
  #held = null;
  /** @type {{ seen: Stretch, were: [number, number] } | null} */
  #pinch = null;
  #frame = 0;
  #resized = new ResizeObserver(() => this.#soon());

  connectedCallback() {
    if (this.childElementCount === 0) this.#build();
    this.#resized.observe(this);
  }

  disconnectedCallback() {
    this.#resized.disconnect();
  }

  #build() {
    this.tabIndex = 0;
    this.setAttribute("role", "slider");
    this.setAttribute("aria-label", "Time");
    this.append(this.#canvas, this.#peek);
    this.addEventListener("pointerdown", (event) => this.#press(event));
    this.addEventListener("pointermove", (event) => this.#drag(event));
    this.addEventListener("pointerup", (event) => this.#lift(event, true));
    this.addEventListener("pointercancel", (event) => this.#lift(event, false));
    this.addEventListener("pointerleave", () => this.#fingers.size === 0 && this.#point(null));
    this.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {Row[]} rows
   * @param {Stretch} day
   */
  show(rows, day) {
    this.#rows = rows;
    if (day[0] !== this.#day[0] || day[1] !== this.#day[1]) [this.#day, this.#seen, this.#isFresh] = [day, day, true];
    const spans = rows.flatMap((row) => row.spans);
    if (this.#isFresh && spans.length > 0) {
      this.#isFresh = false;
      const seen = worth(spans, day);
      this.#look(this.#at >= day[0] ? showing(seen, this.#at, day) : seen);
    }
    this.style.setProperty("height", `${SCALE_HEIGHT + ROW_HEIGHT * Math.max(1, rows.length)}px`);
    this.#soon();
  }

  /** Where one is.
   * @param {number} at
   */
  set at(at) {
    if (at === this.#at) return;
    const followed = shareOf(this.#seen, this.#at) >= 0 && shareOf(this.#seen, this.#at) <= 1;
    this.#at = at;
    // Who looks at another time while it plays is left where he is.
    if (followed && !this.#held && !this.#pinch) this.#look(showing(this.#seen, at, this.#day));
    this.#soon();
  }

  /** The part of the day that is seen. */
  get seen() {
    return this.#seen;
  }

  /** @param {[number, number] | null} marked */
  set marked(marked) {
    this.#marked = marked;
    this.#soon();
  }

  /** @param {number} by of 2 shows half as much */
  zoom(by) {
    const shown = shareOf(this.#seen, this.#at);
    const around = shown >= 0 && shown <= 1 ? this.#at : momentAt(this.#seen, 0.5);
    this.#look(zoomed(this.#seen, by, around, this.#day));
  }

  /** Moves the part that is seen so that a moment lies in it.
   * @param {number} at
   */
  reveal(at) {
    this.#look(showing(this.#seen, at, this.#day));
  }

  /** @param {Stretch} seen */
  #look(seen) {
    if (seen[0] === this.#seen[0] && seen[1] === this.#seen[1]) return;
    this.#seen = seen;
    this.#soon();
    this.dispatchEvent(new Event("zoomed"));
  }

  // ---- fingers, mouse, wheel and keys

  /** @param {PointerEvent | WheelEvent} event */
  #shareUnder({ clientX }) {
    const { left, width } = this.getBoundingClientRect();
    return width > 0 ? (clientX - left) / width : 0;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.focus({ preventScroll: true });
    this.setPointerCapture(event.pointerId);
    const share = this.#shareUnder(event);
    this.#fingers.set(event.pointerId, share);
    const [first, second] = [...this.#fingers.values()];
    if (first !== undefined && second !== undefined) {
      if (this.#held?.grip === "scrub") this.#seek(this.#at, true);
      [this.#held, this.#pinch] = [null, { seen: this.#seen, were: [first, second] }];
      return this.#point(null);
    }
    const grip = this.#gripAt(event, share);
    this.#held = { grip, share, seen: this.#seen };
    if (grip === "scrub") this.#scrub(share, false);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const share = this.#shareUnder(event);
    if (!this.#fingers.has(event.pointerId)) return this.#point(event.pointerType === "mouse" ? share : null, event);
    this.#fingers.set(event.pointerId, share);
    const [first, second] = [...this.#fingers.values()];
    if (this.#pinch && first !== undefined && second !== undefined)
      return this.#look(pinched(this.#pinch.seen, this.#pinch.were, [first, second], this.#day));
    if (!this.#held) return;
    const { grip, seen, share: from } = this.#held;
    if (grip === "pan") this.#look(moved(seen, (from - share) * (seen[1] - seen[0]), this.#day));
    else if (grip === "scrub") this.#scrub(share, false);
    else this.#mark(grip, share);
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} meant
   */
  #lift(event, meant) {
    if (!this.#fingers.delete(event.pointerId)) return;
    const [held, share] = [this.#held, this.#shareUnder(event)];
    this.#held = null;
    if (this.#fingers.size < 2) this.#pinch = null;
    if (held?.grip === "scrub") this.#scrub(share, true);
    else if (held?.grip === "pan" && meant && Math.abs(share - held.share) * this.clientWidth < 4)
      this.#scrub(share, true);
    if (event.pointerType !== "mouse") this.#point(null);
  }

  /**
   * @param {PointerEvent} event
   * @param {number} share
   * @returns {Grip}
   */
  #gripAt(event, share) {
    for (const [at, grip] of /** @type {[number, Grip][]} */ ([
      [this.#marked?.[0] ?? NaN, "from"],
      [this.#marked?.[1] ?? NaN, "to"],
    ]))
      if (Math.abs(shareOf(this.#seen, at) - share) * this.clientWidth < REACH) return grip;
    return event.clientY - this.getBoundingClientRect().top < SCALE_HEIGHT ? "pan" : "scrub";
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const across = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
    const [from, to] = this.#seen;
    if (across !== 0) return this.#look(moved(this.#seen, (across / this.clientWidth) * (to - from), this.#day));
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const by = Math.exp(-event.deltaY * lines * WHEEL);
    this.#look(zoomed(this.#seen, by, momentAt(this.#seen, this.#shareUnder(event)), this.#day));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const share = KEY_SHARE[/** @type {keyof typeof KEY_SHARE} */ (event.key)];
    const [from, to] = this.#day;
    if (share !== undefined) this.#seek(this.#at + share * (this.#seen[1] - this.#seen[0]), true);
    else if (event.key === "Home") this.#seek(this.#rows[0]?.spans[0]?.from ?? from, true);
    else if (event.key === "End") this.#seek((this.#rows[0]?.spans.at(-1)?.to ?? to) - PEEK_S, true);
    else if (event.key === "+" || event.key === "=") this.zoom(STEP);
    else if (event.key === "-") this.zoom(1 / STEP);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.reveal(this.#at);
  }

  // ---- what is done

  /**
   * @param {number} share
   * @param {boolean} done
   */
  #scrub(share, done) {
    const at = momentAt(this.#seen, Math.min(Math.max(share, 0), 1));
    this.#seek(this.#eventAt(share)?.began_at ?? at, done);
    if (!done) this.#point(share);
  }

  /**
   * @param {number} at
   * @param {boolean} done
   */
  #seek(at, done) {
    const [from, to] = this.#day;
    this.#at = Math.min(Math.max(at, from), to - 0.001);
    this.dispatchEvent(new CustomEvent("seek", { detail: { at: this.#at, done } }));
    this.#soon();
  }

  /**
   * @param {Grip} grip
   * @param {number} share
   */
  #mark(grip, share) {
    if (!this.#marked) return;
    const at = momentAt(this.#seen, Math.min(Math.max(share, 0), 1));
    const [from, to] = this.#marked;
    this.#marked = grip === "from" ? [Math.min(at, to - 1), to] : [from, Math.max(at, from + 1)];
    this.dispatchEvent(new CustomEvent("marked", { detail: this.#marked }));
    this.#soon();
  }

  /** The event whose beginning is pointed at.
   * @param {number} share
   */
  #eventAt(share) {
    const near = (/** @type {KeptEvent} */ { began_at }) =>
      Math.abs(shareOf(this.#seen, began_at) - share) * this.clientWidth;
    const all = this.#rows.flatMap(({ events }) => events);
    return all.filter((event) => near(event) < REACH / 2).sort((a, b) => near(a) - near(b))[0];
  }

  /**
   * @param {number | null} share
   * @param {PointerEvent} [event]
   */
  #point(share, event) {
    this.#pointed = share;
    this.#soon();
    if (share === null || momentAt(this.#seen, share) > Date.now() / 1000) return this.#peek.hide();
    const { top, width } = this.getBoundingClientRect();
    const row = event ? Math.floor((event.clientY - top - SCALE_HEIGHT) / ROW_HEIGHT) : 0;
    const { stream = "", spans = [] } = this.#rows[Math.min(Math.max(row, 0), this.#rows.length - 1)] ?? {};
    const seen = this.#eventAt(share);
    const at = seen?.began_at ?? momentAt(this.#seen, share);
    this.style.setProperty("cursor", event && this.#gripAt(event, share) !== "scrub" ? "ew-resize" : "pointer");
    const isRecorded = spans.some(({ from, to }) => from <= at && at < to);
    this.#peek.show(
      { stream, at, isRecorded, event: seen, grain: (this.#seen[1] - this.#seen[0]) / 240 },
      share * width,
    );
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const [from, to] = this.#day;
    this.setAttribute("aria-valuemin", String(Math.round(from)));
    this.setAttribute("aria-valuemax", String(Math.round(to)));
    this.setAttribute("aria-valuenow", String(Math.round(this.#at)));
    this.setAttribute("aria-valuetext", clockAt(this.#at, true));
    const [rows, seen, at, marked] = [this.#rows, this.#seen, this.#at, this.#marked];
    const pointed = this.#pointed === null ? null : momentAt(seen, this.#pointed);
    drawLine(this.#canvas, { rows, seen, at, marked, pointed, until: Date.now() / 1000 });
  }
}

customElements.define("recorded-line", RecordedLine);
