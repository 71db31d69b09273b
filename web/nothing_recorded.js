// @ts-check
// <nothing-recorded>: words where no recordings are shown: none are kept here, none of that day, or no answer comes.
// Dispatches "newest" where the newest is asked for.

import { dayInWords } from "./clock.js";
import { element } from "./details.js";
import { button } from "./form.js";

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./request.js").Refusal} Refusal */

const SECTION = "archive:\n  path: archive\nstreams:\n  NAME:\n    record: continuous";

export class NothingRecorded extends HTMLElement {
  /** @type {Stream[]} */
  streams = [];
  #title = element("p", "title");
  #text = element("p", "");
  #file = element("pre", "");
  #newest = button("newest", () => this.dispatchEvent(new Event("newest")), "Show the newest there is");
  #set = /** @type {HTMLAnchorElement} */ (element("a", "set", "Set what is recorded"));

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.setAttribute("role", "status");
    this.append(this.#title, this.#text, this.#file, this.#newest, this.#set);
    this.hidden = true;
  }

  /**
   * @param {Refusal | null} failure
   * @param {string[]} streams of which nothing was recorded that day
   * @param {string} day
   */
  show(failure, streams, day) {
    const [stream = ""] = streams;
    const mode = this.streams.find(({ name }) => name === stream)?.recording?.mode ?? "off";
    const none = failure?.status === 404;
    let [title, text] = ["", ""];
    if (none) [title, text] = ["Nothing is recorded here", "Recordings are kept once the configuration says so:"];
    else if (failure?.status === 503) [title, text] = ["The archive is away", failure.message];
    else if (failure) [title, text] = ["The recordings cannot be shown", failure.message];
    else if (stream) {
      title = `Nothing was recorded on ${dayInWords(day)}`;
      text = mode === "off" ? `Recording of ${stream} is off.` : "";
    }
    if (this.#title.textContent !== title) this.#title.textContent = title;
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#file.hidden = !none;
    this.#file.textContent = SECTION;
    this.#newest.hidden = failure !== null;
    this.#set.href = `#${encodeURIComponent(stream)}`;
    this.#set.hidden = failure !== null || mode !== "off" || !stream;
    this.hidden = title === "";
  }
}

customElements.define("nothing-recorded", NothingRecorded);
