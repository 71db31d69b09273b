// @ts-check
// <event-facts>: what is known of one event, and the note that people write. Dispatches "note" with another text.

import { lasted, moment } from "./clock.js";
import { element, tag } from "./details.js";
import { address } from "./search.js";
import { deed, howLong } from "./verdict.js";

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */

/** Who it was where nobody is asked who he is. */
const NOBODY = "nobody";
const LONGEST_NOTE = "2000"; // as the server has it

export class EventFacts extends HTMLElement {
  /** @type {KeptEvent | null} */
  #event = null;
  #title = element("h2", "");
  #place = element("p", "place fine");
  #known = element("dl", "");
  #marks = element("ol", "event-marks");
  #text = /** @type {HTMLTextAreaElement} */ (element("textarea", ""));
  #note = element("label", "note", "Note ", this.#text);
  #written = element("p", "written");

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#text.rows = 2;
    this.#text.setAttribute("maxlength", LONGEST_NOTE);
    this.#text.placeholder = "What it was, for whoever comes next";
    this.#text.addEventListener("change", () => this.keepNote());
    this.#marks.setAttribute("aria-label", "Zones and lines");
    this.append(this.#title, this.#place, this.#known, this.#marks, this.#note, this.#written);
  }

  /**
   * @param {KeptEvent} event
   * @param {string} place among those that were found
   * @param {boolean} writable whether a note may be written
   */
  show(event, place, writable) {
    // What somebody is writing is not written over by news of the event.
    const writing = this.#event?.id === event.id && this.#text.value !== this.#event.note;
    this.#event = event;
    const [title, score] = [tag({ ...event, finding: false }), element("b", "", `${Math.round(event.score * 100)} %`)];
    this.#title.replaceChildren(title, score);
    this.#place.textContent = place;
    this.#known.replaceChildren(...facts(event));
    this.#marks.replaceChildren(
      ...event.marks.map((mark) => element("li", "", deed(mark), " ", after(event, mark.at))),
    );
    this.#marks.hidden = event.marks.length === 0;
    if (!writing) this.#text.value = event.note;
    this.#note.hidden = !writable;
    this.#written.textContent = event.note;
    this.#written.hidden = writable || event.note === "";
  }

  /** Has what was written kept. */
  keepNote() {
    const note = this.#text.value.trim();
    if (!this.#event || this.#note.hidden || note === this.#event.note) return;
    this.dispatchEvent(new CustomEvent("note", { detail: note }));
  }
}

/** @param {KeptEvent} event */
function facts(event) {
  const link = /** @type {HTMLAnchorElement} */ (element("a", "", event.stream));
  link.href = `#${encodeURIComponent(event.stream)}`;
  link.title = "Watch it live";
  const zones = event.zones.map((zone) => {
    const node = /** @type {HTMLAnchorElement} */ (element("a", "zone", zone));
    node.href = address({ stream: event.stream, zone });
    node.title = `Events of ${event.stream} in ${zone}`;
    return node;
  });
  /** @type {[string, (string | Node)[]][]} */
  const known = [
    ["Stream", [link]],
    ["Began", [moment(event.began_at, true), element("small", "", zoneName(event.began_at))]],
    ["Seen for", [howLong(event)]],
    ["Zones", zones],
    ["Model", [`${event.model} v${event.version}`]],
    ["Reviewed", reviewed(event)],
  ];
  return known.flatMap(([name, value]) =>
    value.length > 0 ? [element("dt", "", name), element("dd", "", ...value)] : [],
  );
}

/**
 * @param {KeptEvent} event
 * @returns {(string | Node)[]}
 */
function reviewed({ reviewed, reviewed_by, reviewed_at }) {
  if (reviewed === null) return ["not yet"];
  const word = element("span", "word", reviewed);
  word.dataset.verdict = reviewed;
  const by = reviewed_by && reviewed_by !== NOBODY ? ` by ${reviewed_by}` : "";
  return [word, by, ...(reviewed_at ? [element("small", "", moment(reviewed_at))] : [])];
}

/**
 * @param {KeptEvent} event
 * @param {number} at seconds since 1970
 */
function after({ began_at }, at) {
  return element("small", "", at - began_at < 1 ? "at once" : `after ${lasted(at - began_at)}`);
}

/** The viewer's zone at that time.
 * @param {number} at seconds since 1970
 */
function zoneName(at) {
  const parts = new Intl.DateTimeFormat([], { timeZoneName: "short" }).formatToParts(at * 1000);
  return ` ${parts.find(({ type }) => type === "timeZoneName")?.value ?? ""}`;
}

customElements.define("event-facts", EventFacts);
