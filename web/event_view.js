// @ts-check
// <event-view>: one event large, and what people say of it. c: confirmed, f: false, b: bookmark, x: its box; the arrow
// keys go to the neighbours. Dispatches "step" with -1 (newer) or 1, "judged" with the event, "removed" and "left".

import { ruleLike } from "./alerts_place.js";
import { remove, review } from "./archive.js";
import { element } from "./details.js";
import { EventFacts } from "./event_facts.js";
import { EventPicture } from "./event_picture.js";
import { button, confirmed, problem } from "./form.js";
import { BELL, icon } from "./icon.js";
import { RecordedLink } from "./recorded_link.js";
import { said } from "./verdict.js";
import { visitor } from "./visitor.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {import("./archive.js").Said} Said */
/** @typedef {{ newer: KeptEvent | undefined, older: KeptEvent | undefined, place: string }} Around */

/** How far a finger goes to mean it, CSS pixels. */
const SWIPE = 48;

export class EventView extends HTMLElement {
  /** @type {KeptEvent | null} */
  #event = null;
  #picture = new EventPicture();
  #facts = new EventFacts();
  #recorded = new RecordedLink();
  #alike = /** @type {HTMLAnchorElement} */ (element("a", "tell-of", icon(BELL), "Tell me of such things"));
  #newer = button("newer", () => this.#step(-1), icon("M10 3 5 8l5 5"));
  #older = button("older", () => this.#step(1), icon("m6 3 5 5-5 5"));
  #confirm = button("confirming", () => this.#judge("confirmed"), icon("m3 8.5 3.5 3.5L13 4.5"), "Confirm ", key("c"));
  #false = button("denying", () => this.#judge("false"), icon("m4 4 8 8M12 4l-8 8"), "False ", key("f"));
  #bookmark = button("bookmark", () => this.#mark(), icon("M4.5 2.5h7v11L8 10.5l-3.5 3z"), "Bookmark ", key("b"));
  #box = button("box", () => this.#toggleBox(), icon("M2.5 4h11v8h-11z"), "Box ", key("x"));
  #remove = confirmed("Delete…", "Delete for good", () => this.#delete());
  #judging = element("p", "buttons judging", this.#confirm, this.#false);
  #problem = problem();
  #heard = element("p", "announcer");
  #dialog = /** @type {HTMLDialogElement} */ (element("dialog", "event-sheet"));
  #boxed = true;
  /** @type {{ x: number, y: number } | null} where a finger came down */
  #touched = null;

  constructor() {
    super();
    const close = button("close", () => this.#dialog.close(), icon("m4 4 8 8M12 4l-8 8"));
    close.setAttribute("aria-label", "Close");
    this.#newer.setAttribute("aria-label", "Newer");
    this.#older.setAttribute("aria-label", "Older");
    this.#heard.setAttribute("aria-live", "polite");
    const tools = element("p", "buttons", this.#bookmark, this.#box, this.#remove);
    const side = element("div", "side", this.#facts, this.#recorded, this.#alike, tools, this.#problem);
    const stage = element("div", "stage", this.#picture, this.#newer, this.#older);
    this.#dialog.append(close, stage, side, this.#judging, this.#heard);
    this.#dialog.addEventListener("close", () => this.#left());
    this.#dialog.addEventListener("keydown", (event) => this.#press(event));
    this.#facts.addEventListener("note", (event) => this.#say({ note: /** @type {CustomEvent} */ (event).detail }));
    stage.addEventListener("touchstart", ({ touches }) => this.#touch(touches), { passive: true });
    stage.addEventListener("touchend", ({ changedTouches }) => this.#lift(changedTouches), { passive: true });
  }

  /** Which one is shown; "" for none. */
  get shown() {
    return this.#event?.id ?? "";
  }

  /**
   * @param {KeptEvent} event
   * @param {Around} around
   */
  show(event, { newer, older, place }) {
    const another = this.#event?.id !== event.id;
    if (another) this.#facts.keepNote();
    this.#event = event;
    this.#picture.show(event);
    this.#recorded.show(event);
    this.#alike.href = ruleLike(event);
    this.#picture.boxed = this.#boxed;
    if (another) this.#picture.prepare([older, newer]);
    this.#facts.show(event, place, this.#mayJudge);
    [this.#newer.disabled, this.#older.disabled] = [!newer, !older];
    this.#confirm.setAttribute("aria-pressed", String(event.reviewed === "confirmed"));
    this.#false.setAttribute("aria-pressed", String(event.reviewed === "false"));
    this.#bookmark.setAttribute("aria-pressed", String(event.bookmarked));
    this.#box.setAttribute("aria-pressed", String(this.#boxed));
    for (const part of [this.#judging, this.#bookmark, this.#remove, this.#alike]) part.hidden = !this.#mayJudge;
    if (another) this.#problem.textContent = "";
    if (another) this.#heard.textContent = [said(event), place].filter(Boolean).join("; ");
    this.#dialog.setAttribute("aria-label", said(event));
    if (this.#dialog.open) return;
    this.append(this.#dialog); // it is nowhere while it is closed
    this.#dialog.showModal();
    (this.#mayJudge ? this.#confirm : this.#older).focus({ preventScroll: true });
  }

  close() {
    this.#dialog.close();
  }

  get #mayJudge() {
    return visitor.may("operate");
  }

  #left() {
    this.#facts.keepNote();
    this.#event = null;
    this.#dialog.remove();
    this.dispatchEvent(new Event("left"));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("textarea")) return;
    const act = {
      ArrowLeft: () => this.#step(-1),
      ArrowRight: () => this.#step(1),
      x: () => this.#toggleBox(),
      ...(this.#mayJudge && !event.repeat
        ? { c: () => this.#judge("confirmed"), f: () => this.#judge("false"), b: () => this.#mark() }
        : {}),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** @param {number} by -1 for the newer one */
  #step(by) {
    if ((by < 0 ? this.#newer : this.#older).disabled) return;
    this.dispatchEvent(new CustomEvent("step", { detail: by }));
  }

  /** @param {"confirmed" | "false"} verdict once more: nobody has judged it */
  #judge(verdict) {
    const taken = this.#event?.reviewed === verdict;
    this.#say({ reviewed: taken ? null : verdict }, taken ? "No longer reviewed" : `Marked ${verdict}`);
  }

  #mark() {
    const bookmarked = !this.#event?.bookmarked;
    this.#say({ bookmarked }, bookmarked ? "Bookmarked" : "No longer bookmarked");
  }

  #toggleBox() {
    this.#boxed = !this.#boxed;
    this.#picture.boxed = this.#boxed;
    this.#box.setAttribute("aria-pressed", String(this.#boxed));
  }

  /**
   * @param {Said} words
   * @param {string} [heard] once it is so
   */
  async #say(words, heard = "Saved") {
    const id = this.shown;
    if (!id) return;
    try {
      const event = await review(id, words);
      this.dispatchEvent(new CustomEvent("judged", { detail: event }));
      if (id !== this.shown) return;
      [this.#heard.textContent, this.#problem.textContent] = [heard, ""];
    } catch (error) {
      if (id === this.shown) this.#problem.textContent = /** @type {Error} */ (error).message;
    }
  }

  async #delete() {
    const id = this.shown;
    try {
      await remove(id);
      this.dispatchEvent(new CustomEvent("removed", { detail: id }));
    } catch (error) {
      this.#problem.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {TouchList} touches */
  #touch(touches) {
    const [finger] = touches;
    this.#touched = finger && touches.length === 1 ? { x: finger.clientX, y: finger.clientY } : null;
  }

  /** @param {TouchList} touches */
  #lift(touches) {
    const [finger] = touches;
    if (!finger || !this.#touched) return;
    const [x, y] = [finger.clientX - this.#touched.x, finger.clientY - this.#touched.y];
    this.#touched = null;
    if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) this.#step(x < 0 ? 1 : -1);
  }
}

/** @param {string} letter */
function key(letter) {
  const node = element("kbd", "", letter);
  node.setAttribute("aria-hidden", "true");
  return node;
}

customElements.define("event-view", EventView);
