// @ts-check
// <outlet-card>: one who can be told: how that fares, what waits, a test, and what was given up. Dispatches "changed".

import { testOutlet } from "./alerts.js";
import { outletInWords, queueInWords, testInWords } from "./alert_words.js";
import { DeadLetters } from "./dead_letters.js";
import { element } from "./details.js";
import { button } from "./form.js";

/** @typedef {import("./alerts.js").Outlet} Outlet */

export class OutletCard extends HTMLElement {
  /** @type {Outlet | null} */
  #outlet = null;
  #name = element("h3", "");
  #kind = element("span", "fine");
  #state = element("p", "state");
  #figures = element("dl", "");
  #test = button("test", () => this.#try(), "Send a test");
  #open = button("to-letters", () => this.#unfold());
  #came = element("p", "came");
  #letters = new DeadLetters();

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#came.setAttribute("role", "status");
    this.#letters.hidden = true;
    this.#letters.addEventListener("changed", () => this.dispatchEvent(new Event("changed", { bubbles: true })));
    const buttons = element("p", "buttons", this.#open, this.#test);
    this.append(
      element("header", "", this.#name, this.#kind),
      this.#state,
      this.#figures,
      buttons,
      this.#came,
      this.#letters,
    );
  }

  /** @param {Outlet} outlet as it is now */
  show(outlet) {
    const now = Date.now() / 1000;
    const { name, kind, recipe, host, state, dead } = outlet;
    const gone = (this.#outlet?.dead ?? dead) !== dead;
    this.#outlet = outlet;
    this.dataset.outlet = state;
    this.#name.textContent = name;
    this.#kind.textContent = [kind === "mqtt" ? "MQTT" : kind, recipe === "plain" ? null : recipe, host]
      .filter(Boolean)
      .join(" · ");
    const words = outletInWords(outlet, now);
    if (this.#state.textContent !== words) this.#state.replaceChildren(element("i", ""), words);
    this.#figures.replaceChildren(
      ...queueInWords(outlet, now).map(([word, value]) =>
        element("div", "", element("dt", "", word), element("dd", "", value)),
      ),
    );
    this.#test.hidden = state === "gone";
    this.#test.setAttribute("aria-label", `Send a test to ${name}`);
    this.#open.textContent = dead === 1 ? "1 dead letter" : `${dead} dead letters`;
    this.#open.hidden = dead === 0 && this.#letters.hidden;
    if (gone && !this.#letters.hidden) this.#letters.load();
  }

  async #try() {
    const name = this.#outlet?.name;
    if (!name) return;
    [this.#test.disabled, this.#came.textContent] = [true, "Sending…"];
    delete this.#came.dataset.outcome;
    try {
      const tested = await testOutlet(name);
      this.#came.textContent = testInWords(tested);
      this.#came.dataset.outcome = tested.outcome;
    } catch (error) {
      this.#came.textContent = /** @type {Error} */ (error).message;
      this.#came.dataset.outcome = "failed";
    }
    this.#test.disabled = false;
    this.dispatchEvent(new Event("changed", { bubbles: true }));
  }

  #unfold() {
    const shown = this.#letters.hidden;
    this.#letters.hidden = !shown;
    this.#open.setAttribute("aria-expanded", String(shown));
    if (shown && this.#outlet) this.#letters.show(this.#outlet.name);
  }
}

customElements.define("outlet-card", OutletCard);
