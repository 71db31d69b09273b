// @ts-check
// <silence-sign>: that nobody is told, and until when: of the stream it is given as "stream", or, without one, of
// anything. Pressed, it says which silences these are, and ends them.

import { silenced } from "./alert_words.js";
import { button } from "./form.js";
import { BELL, icon } from "./icon.js";
import { element } from "./details.js";
import { askSilence, hourOf } from "./silence_dialog.js";
import { silencesNow } from "./silences.js";

/** @typedef {import("./alerts.js").Silence} Silence */

export class SilenceSign extends HTMLElement {
  #words = element("span", "silence-words");
  #open = button(
    "silenced",
    () => askSilence({ rule: null, stream: this.#stream }),
    icon(`${BELL}M2 2l12 12`),
    this.#words,
  );
  #draw = () => this.#show();

  connectedCallback() {
    if (this.childElementCount === 0) this.append(this.#open);
    silencesNow.addEventListener("change", this.#draw);
    this.#show();
  }

  disconnectedCallback() {
    silencesNow.removeEventListener("change", this.#draw);
  }

  get #stream() {
    return this.getAttribute("stream");
  }

  #show() {
    const stream = this.#stream;
    const found = stream === null ? silencesNow.inForce : silencesNow.ofStream(stream);
    this.hidden = found.length === 0;
    this.#words.textContent = stream === null ? many(found) : `Silent until ${last(found)}`;
    const what = stream === null ? found.map(silenced).join(", ") : stream;
    this.#open.setAttribute("aria-label", `${what}: nobody is told until ${last(found)}`);
  }
}

/** @param {Silence[]} silences in the order of their ends */
function many(silences) {
  const all = silences.filter(({ rule, stream }) => rule === null && stream === null);
  if (all.length > 0) return `Silent until ${last(all)}`;
  return silences.length === 1 ? "1 silence" : `${silences.length} silences`;
}

/** @param {Silence[]} silences in the order of their ends */
function last(silences) {
  const end = silences.at(-1);
  return end ? hourOf(end.until) : "";
}

customElements.define("silence-sign", SilenceSign);
