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
  ["waiting", "Waiting"],
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
  #room = element("p", "fine");
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
    this.append(
      element("h2", "", "Recording", this.#watch),
      this.#state,
      this.#reason,
      this.#room,
      this.#choices,
      this.#note,
    );
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
    this.#room.textContent = roomFor(recording.days_fit ?? null);
    this.#room.hidden = mode === "off" || this.#room.textContent === "";
    this.#watch.href = recordedAddress({ stream: stream.name });
    const isSettable = mayPause(stream) && stream.origin === "api";
    this.#choices.hidden = !isSettable;
    for (const input of this.#choices.querySelectorAll("input")) {
      if (!this.#busy) input.checked = input.value === mode;
      input.disabled = this.#busy;
    }
    const note = MODES.find(([each]) => each === mode)?.[2] ?? "";
    this.#note.textContent = isSettable ? note : "It stands in the configuration file, under record, and is set there.";
    this.#note.hidden = !mayPause(stream);
  }

  /** @param {Mode} mode */
  async #change(mode) {
    const { name = "", recording } = this.#stream ?? {};
    if (!name || !recording || this.#busy) return;
    this.#busy = true;
    this.#tell("refused", "");
    try {
      if (!(await withToken((token) => administration.record(name, mode, token)))) return;
      recording.mode = mode; // until the server says so itself
      this.#tell("changed", name);
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

/**
 * How long recordings of this stream last.
 *
 * @param {number | null} days
 */
export function roomFor(days) {
  if (days === null) return "";
  if (days < 1) return `There is room for about ${Math.max(1, Math.round(days * 24))} hours at today’s rate.`;
  return `There is room for about ${days < 10 ? Number(days.toFixed(1)) : Math.round(days)} days at today’s rate.`;
}

customElements.define("record-mode", RecordMode);
