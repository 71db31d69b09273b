// @ts-check
// <nothing-found>: words where no events are shown: none are kept, there are none yet, none fit, or no answer comes.
// Dispatches "again" and "clear".

import { element } from "./details.js";
import { button } from "./form.js";
import { asked } from "./search.js";

/** @typedef {import("./found.js").Found} Found */
/** @typedef {import("./search.js").Search} Search */

/** An archive that is away is asked again by itself. */
const AGAIN_MS = 10_000;

export class NothingFound extends HTMLElement {
  #title = element("p", "title");
  #text = element("p", "");
  #file = element("pre", "", "archive:\n  path: archive");
  #again = button("again", () => this.dispatchEvent(new Event("again")), "Try again");
  #clear = button("clear-all", () => this.dispatchEvent(new Event("clear")), "Clear the filters");
  #timer = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.setAttribute("role", "status");
    this.append(this.#title, this.#text, this.#file, this.#again, this.#clear);
  }

  /**
   * @param {Found} found
   * @param {Search} search
   */
  show(found, search) {
    const { failure, events, asking, complete } = found;
    window.clearTimeout(this.#timer);
    const none = failure?.status === 404;
    let [title, text] = ["", ""];
    if (none) {
      title = "No events are kept here";
      text = "Events, with a picture each, are kept once the configuration has a section for them:";
    } else if (failure) {
      title = failure.status === 503 ? "The archive is away" : "The events cannot be shown";
      text = failure.message;
      this.#timer = window.setTimeout(() => this.isConnected && this.#retry(), failure.retryAfterS * 1000 || AGAIN_MS);
    } else if (events.length === 0 && asking) {
      title = "Looking…";
    } else if (events.length === 0 && complete) {
      const filtered = asked(search) > 0;
      title = filtered ? "No events that fit" : "No events yet";
      text = filtered ? "" : "What the cameras see is listed here, the newest first.";
    }
    this.#say(title, text);
    this.#file.hidden = !none;
    this.#again.hidden = !failure || none;
    this.#clear.hidden = failure !== null || asking || asked(search) === 0;
    this.hidden = title === "";
  }

  #retry() {
    if (!this.hidden && !document.hidden) this.dispatchEvent(new Event("again"));
  }

  /**
   * @param {string} title
   * @param {string} text
   */
  #say(title, text) {
    if (this.#title.textContent !== title) this.#title.textContent = title;
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }
}

customElements.define("nothing-found", NothingFound);
