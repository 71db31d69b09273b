// @ts-check
// <recorded-link>: the way from an event to its recording, where there is one.

import { element } from "./details.js";
import { icon } from "./icon.js";
import { recordedAddress } from "./recorded_place.js";
import { index } from "./recordings.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */

/** Before its beginning, so that one sees it come, seconds. */
const BEFORE_S = 2;

export class RecordedLink extends HTMLElement {
  #link = /** @type {HTMLAnchorElement} */ (element("a", "", icon("M5 3v10l8-5z"), "Play the recording"));
  #id = "";
  #asking = new AbortController();

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.hidden = true;
    this.append(this.#link);
  }

  /** @param {KeptEvent} event */
  async show({ id, stream, began_at, last_at }) {
    if (id === this.#id) return;
    this.#id = id;
    this.hidden = true;
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const found = await index(stream, began_at, Math.max(last_at, began_at + 1), "spans", signal).catch(() => null);
    const [span] = found?.spans ?? [];
    if (!span || signal.aborted) return;
    this.#link.href = recordedAddress({ stream, at: Math.max(began_at - BEFORE_S, span.from), playing: true });
    this.hidden = false;
  }
}

customElements.define("recorded-link", RecordedLink);
