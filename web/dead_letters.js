// @ts-check
// <dead-letters>: what an outlet was to be told and never was; each is sent again or discarded, or all at once.
// Dispatches "changed".

import { dead, discard, resend } from "./alerts.js";
import { briefly } from "./clock.js";
import { element } from "./details.js";
import { button, confirmed, problem } from "./form.js";
import { Listing } from "./listing.js";

/** @typedef {import("./alerts.js").Letter} Letter */

/** @type {Record<string, string>} */
const KINDS = {
  alert: "alert",
  alert_ended: "end of an alert",
  event_began: "event",
  event_ended: "end of an event",
  test: "test",
};

export class DeadLetters extends Listing {
  #outlet = "";
  #list = element("ol", "letters");
  #problem = problem();
  #all = element(
    "p",
    "buttons",
    confirmed("Discard all…", "Discard all of them", () => this.#act(discard, null)),
    button("", () => this.#act(resend, null), "Send all again"),
  );
  #more = button("more", () => this.#next(), "More");
  /** @type {number | null} */
  #cursor = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#list.setAttribute("aria-label", "Dead letters");
    const why = "Not taken for a day, or refused for good. Sent again they come after what waits.";
    this.append(element("p", "fine", why), this.#all, this.#problem, this.#list, this.instead, this.#more);
  }

  /** @param {string} outlet whose */
  show(outlet) {
    this.#outlet = outlet;
    this.load();
  }

  /** @override */
  async fetch() {
    this.#list.replaceChildren();
    const { letters, cursor } = await dead(this.#outlet, null);
    this.#show(letters, cursor);
    this.#all.hidden = letters.length === 0;
    return letters.length === 0 ? "None." : "";
  }

  async #next() {
    const found = await dead(this.#outlet, this.#cursor).catch((error) => this.#say(error));
    if (found) this.#show(found.letters, found.cursor);
  }

  /**
   * @param {Letter[]} letters
   * @param {number | null} cursor
   */
  #show(letters, cursor) {
    this.#list.append(...letters.map((each) => this.#row(each)));
    this.#cursor = cursor;
    this.#more.hidden = cursor === null;
  }

  /** @param {Letter} letter */
  #row(letter) {
    const { id, kind, rule, stream, made_at, attempts, error, event } = letter;
    const what = [event?.label, stream, rule && `rule ${rule}`].filter(Boolean).join(" · ");
    const words = `${briefly(made_at)}: ${KINDS[kind] ?? kind}${what ? `, ${what}` : ""}`;
    const tried = attempts === 1 ? "after 1 attempt" : `after ${attempts} attempts`;
    const again = button("", () => this.#act(resend, [id]), "Send again");
    const away = button("", () => this.#act(discard, [id]), "Discard");
    for (const each of [again, away]) each.setAttribute("aria-label", `${each.textContent}: ${words}`);
    const said = element("div", "", element("p", "", words), element("small", "", `${error} (${tried})`));
    return element("li", "", said, element("p", "buttons", away, again));
  }

  /**
   * @param {typeof resend} act
   * @param {string[] | null} ids null: all
   */
  async #act(act, ids) {
    this.#problem.textContent = "";
    await act(this.#outlet, ids).catch((error) => this.#say(error));
    await this.load();
    this.dispatchEvent(new Event("changed"));
  }

  /** @param {Error} error */
  #say(error) {
    this.#problem.textContent = error.message;
    return null;
  }
}

customElements.define("dead-letters", DeadLetters);
