// @ts-check
// <stream-silence>: whether anybody is told what happens on the stream it is given as "stream"; a part of the large view.

import { element } from "./details.js";
import { button } from "./form.js";
import { askSilence, silenceList } from "./silence_dialog.js";
import { silencesNow } from "./silences.js";
import { visitor } from "./visitor.js";

export class StreamSilence extends HTMLElement {
  #list = element("div", "in-force");
  #problem = element("p", "problem");
  #begin = button("", () => askSilence({ rule: null, stream: this.#stream }), "Silence it…");
  #draw = () => this.#show();

  connectedCallback() {
    if (this.childElementCount === 0) {
      const link = /** @type {HTMLAnchorElement} */ (element("a", "to-rules", "Who is told of what"));
      link.href = "#+alerts";
      this.#problem.setAttribute("role", "alert");
      this.append(element("section", "", element("h2", "", "Alerts ", link), this.#list, this.#problem, this.#begin));
    }
    silencesNow.addEventListener("change", this.#draw);
    visitor.addEventListener("change", this.#draw);
    this.#show();
  }

  disconnectedCallback() {
    silencesNow.removeEventListener("change", this.#draw);
    visitor.removeEventListener("change", this.#draw);
  }

  get #stream() {
    return this.getAttribute("stream") ?? "";
  }

  #show() {
    const found = silencesNow.ofStream(this.#stream);
    this.#list.replaceChildren(...(found.length > 0 ? [silenceList(found, this.#problem)] : []));
    this.#begin.hidden = !visitor.may("operate");
    this.hidden = found.length === 0 && !visitor.may("operate");
  }
}

customElements.define("stream-silence", StreamSilence);
