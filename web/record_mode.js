// @ts-check
// <record-mode>: whether a stream is recorded, and how that goes. Dispatches "changed", and "refused" with a sentence;
// both bubble.

import { administration } from "./administration.js";
import { mayPause } from "./controls.js";
import { element } from "./details.js";
import { field } from "./form.js";
import { sentence } from "./readout.js";
import { recordedAddress } from "./recorded_place.js";
import { withToken } from "./token.js";

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {"off" | "events" | "continuous"} Mode */

/** @type {[mode: Mode, word: string, note: string][]} */
const MODES = [
  ["off", "Off", "Nothing is recorded."],
  ["events", "Events", "Seconds before, during and after each event."],
  ["continuous", "Always", "All the camera sends."],
];
/** What a state is called on the page; of the others the server's sentence says enough. */
const WORDS = new Map([
  ["off", "Not recorded"],
  ["waiting", "Waits for an event"],
  ["recording", "Recording"],
  ["behind", "Falls behind"],
  ["full", "The disk is full"],
  ["stuck", "The disk does not answer"],
  ["failing", "Fails"],
  ["unsupported", "Cannot be recorded"],
]);

export class RecordMode extends HTMLElement {
  /** @type {Stream | null} */
  #stream = null;
  #busy = false;
  #state = element("b", "state");
  #reason = element("p", "fine");
  #choices = element("fieldset", "modes");
  #note = element("p", "fine");
  #watch = /** @type {HTMLAnchorElement} */ (element("a", "to-recorded", "Watch recordings"));

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const group = `mode-${Math.random().toString(36).slice(2)}`; // a page has a group a stream
    for (const [mode, word] of MODES) {
      const input = field(group, { type: "radio", value: mode });
      input.addEventListener("change", () => this.#change(mode));
      this.#choices.append(element("label", "", input, element("span", "", word)));
    }
    this.#choices.setAttribute("aria-label", "What is recorded");
    this.append(element("h2", "", "Recording", this.#watch), this.#state, this.#reason, this.#choices, this.#note);
  }

  /** @param {Stream | null} stream null while nothing certain is known of it */
  update(stream) {
    this.#stream = stream;
    const recording = stream?.recording;
    this.hidden = !recording;
    if (!stream || !recording) return;
    const { mode, state, reason } = recording;
    this.#state.textContent = WORDS.get(state) ?? state;
    this.#state.dataset["recording"] = state;
    this.#reason.textContent = sentence(reason ?? "");
    this.#reason.hidden = !reason;
    this.#watch.href = recordedAddress({ stream: stream.name });
    const isSettable = mayPause(stream);
    this.#choices.hidden = !isSettable;
    for (const input of this.#choices.querySelectorAll("input")) {
      if (!this.#busy) input.checked = input.value === mode;
      input.disabled = this.#busy;
    }
    this.#note.textContent = MODES.find(([each]) => each === mode)?.[2] ?? "";
    this.#note.hidden = !isSettable;
  }

  /** @param {Mode} mode */
  async #change(mode) {
    const name = this.#stream?.name;
    if (!name || this.#busy) return;
    this.#busy = true;
    this.#tell("refused", "");
    try {
      if (await withToken((token) => administration.record(name, mode, token))) this.#tell("changed", name);
    } catch (error) {
      this.#tell("refused", /** @type {Error} */ (error).message);
    } finally {
      this.#busy = false;
      this.update(this.#stream);
    }
  }

  /**
   * @param {string} kind
   * @param {string} detail
   */
  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail, bubbles: true }));
  }
}

customElements.define("record-mode", RecordMode);
