// @ts-check
// <stream-controls>: pauses, resumes and removes one stream, where the server lets that be done from here.
// Dispatches "changed" and "removed", and "refused" with a sentence; all bubble.

import { administration } from "./administration.js";
import { element } from "./details.js";
import { button } from "./form.js";
import { withToken } from "./token.js";

/** @typedef {import("./feed.js").Stream} Stream */

/** @param {Stream | null} stream */
export function mayPause(stream) {
  return administration.allowed && (stream?.origin === "api" || stream?.origin === "file");
}

/** @param {Stream | null} stream */
function mayRemove(stream) {
  return administration.allowed && stream?.origin === "api";
}

export class StreamControls extends HTMLElement {
  /** @type {Stream | null} */
  #stream = null;
  #busy = false;
  #pause = button("pause", () => this.setPaused(this.#stream?.state !== "paused"));
  #remove = button("remove", () => this.#ask(true), "Remove…");
  #cancel = button("", () => this.#ask(false), "Keep it");
  #question = element("p", "");
  #row = element("p", "buttons", this.#pause, this.#remove);
  #confirm = element("div", "confirm", this.#question);
  #note = element("p", "fine", "It stands in the configuration file, and is removed there.");

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#confirm.append(
      element(
        "p",
        "buttons",
        this.#cancel,
        button("danger", () => this.#removeNow(), "Remove"),
      ),
    );
    this.#confirm.setAttribute("role", "group");
    this.#confirm.hidden = true;
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#confirm.hidden) return;
      event.stopPropagation();
      this.#ask(false);
    });
    this.append(this.#row, this.#confirm, this.#note);
  }

  /** @param {Stream | null} stream null while nothing certain is known of it */
  update(stream) {
    this.#stream = stream;
    this.hidden = !mayPause(stream);
    if (this.hidden) this.#confirm.hidden = true;
    const label = stream?.state === "paused" ? "Resume" : "Pause";
    if (this.#pause.textContent !== label) this.#pause.textContent = label;
    this.#remove.hidden = !mayRemove(stream);
    this.#note.hidden = mayRemove(stream);
    this.#row.hidden = !this.#confirm.hidden;
  }

  /** @param {boolean} paused */
  async setPaused(paused) {
    await this.#do((name, token) => administration.pause(name, paused, token), "changed");
  }

  async #removeNow() {
    if (!(await this.#do((name, token) => administration.remove(name, token), "removed"))) this.#ask(false);
  }

  /**
   * @param {(name: string, token?: string) => Promise<void>} act
   * @param {"changed" | "removed"} done
   * @returns {Promise<boolean>}
   */
  async #do(act, done) {
    const name = this.#stream?.name;
    if (!name || this.#busy) return false;
    this.#busy = true;
    this.ariaBusy = "true";
    this.#tell("refused", "");
    try {
      if (!(await withToken((token) => act(name, token)))) return false;
      this.#tell(done, name);
      return true;
    } catch (error) {
      this.#tell("refused", /** @type {Error} */ (error).message);
      return false;
    } finally {
      this.#busy = false;
      this.ariaBusy = null;
    }
  }

  /** @param {boolean} asking whether to ask once more before the stream is removed */
  #ask(asking) {
    const name = this.#stream?.name ?? "";
    this.#question.textContent = `Remove ${name}? Its URL and settings are forgotten, and its viewers’ video ends.`;
    this.#confirm.setAttribute("aria-label", `Remove ${name}?`);
    this.#confirm.hidden = !asking;
    this.#row.hidden = asking;
    if (asking) this.#cancel.focus();
    else if (this.isConnected) this.#remove.focus();
  }

  /**
   * @param {string} kind
   * @param {string} detail
   */
  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail, bubbles: true }));
  }
}

customElements.define("stream-controls", StreamControls);
