// @ts-check
// <recorded-link>: the way from an event to its recording, where there is one.

import { element } from "./details.js";
import { icon } from "./icon.js";
import { recordedAddress } from "./recorded_place.js";
import { index } from "./recordings.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */

/** Before its beginning, so that one sees it come, seconds. */
const BEFORE_S = 2;
/** What has just been recorded is told of some seconds later. */
const TOLD_WITHIN_S = 15;
const AGAIN_MS = 2500;

export class RecordedLink extends HTMLElement {
  #link = /** @type {HTMLAnchorElement} */ (element("a", "", icon("M5 3v10l8-5z"), "Play the recording"));
  #id = "";
  #asking = new AbortController();
  #timer = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.hidden = true;
    this.append(this.#link);
  }

  /** @param {KeptEvent} event */
  show(event) {
    if (event.id === this.#id) return;
    this.#id = event.id;
    this.hidden = true;
    this.#asking.abort();
    this.#asking = new AbortController();
    this.#ask(event, this.#asking.signal);
  }

  /**
   * @param {KeptEvent} event
   * @param {AbortSignal} signal
   */
  async #ask(event, signal) {
    const { stream, began_at, last_at } = event;
    window.clearTimeout(this.#timer);
    const found = await index(stream, began_at, Math.max(last_at, began_at + 1), "spans", signal).catch(() => null);
    const [span] = found?.spans ?? [];
    if (signal.aborted) return;
    if (!span) {
      if (Date.now() / 1000 - began_at < TOLD_WITHIN_S)
        this.#timer = window.setTimeout(() => this.isConnected && this.#ask(event, signal), AGAIN_MS);
      return;
    }
    this.#link.href = recordedAddress({ stream, at: Math.max(began_at - BEFORE_S, span.from), playing: true });
    this.hidden = false;
  }
}

customElements.define("recorded-link", RecordedLink);
