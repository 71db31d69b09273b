// @ts-check
// <alert-history>: when a rule was met, by what, and whether that was told; the newest first.

import { history } from "./alerts.js";
import { outcomeInWords } from "./alert_words.js";
import { briefly } from "./clock.js";
import { element, tag } from "./details.js";
import { button, problem, select } from "./form.js";
import { Listing } from "./listing.js";
import { picture } from "./rule_trial.js";
import { address } from "./search.js";
import { said } from "./verdict.js";

/** @typedef {import("./alerts.js").Alert} Alert */

/** @type {[string, string][]} */
const OUTCOMES = [
  ["", "Any"],
  ["told", "Told"],
  ["silenced", "Silenced"],
  ["cooled", "Held back"],
  ["noted", "Noted alone"],
];

export class AlertHistory extends Listing {
  #rule = select([["", "All"]]);
  #stream = select([["", "All"]]);
  #outcome = select(OUTCOMES);
  #list = element("ol", "alerts");
  #problem = problem();
  #more = button("more", () => this.#next(), "More");
  /** @type {string | null} */
  #cursor = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const filter = element(
      "form",
      "filter",
      element("label", "", "Rule ", this.#rule),
      element("label", "", "Stream ", this.#stream),
      element("label", "", "What came of it ", this.#outcome),
    );
    filter.setAttribute("role", "search");
    filter.addEventListener("submit", (event) => event.preventDefault());
    filter.addEventListener("input", () => this.load());
    this.#list.setAttribute("aria-label", "Alerts");
    this.append(filter, this.#list, this.instead, this.#problem, this.#more);
  }

  /** Rules and streams that can be looked for.
   * @param {{ rules: string[], streams: string[] }} names
   */
  offer({ rules, streams }) {
    offer(this.#rule, rules);
    offer(this.#stream, streams);
  }

  /** Nothing of one person stays for the next. */
  clear() {
    this.#list.replaceChildren();
    this.#rule.length = this.#stream.length = 1;
    this.#more.hidden = true;
  }

  /** @override */
  async fetch() {
    this.#problem.textContent = "";
    const { alerts, cursor } = await history(this.#wanted, null);
    this.#list.replaceChildren();
    this.#show(alerts, cursor);
    const { rule, stream, outcome } = this.#wanted;
    if (alerts.length > 0) return "";
    return rule || stream || outcome ? "Nothing that fits." : "No rule was met yet.";
  }

  get #wanted() {
    return { rule: this.#rule.value, stream: this.#stream.value, outcome: this.#outcome.value };
  }

  async #next() {
    [this.#more.disabled, this.#problem.textContent] = [true, ""];
    try {
      const { alerts, cursor } = await history(this.#wanted, this.#cursor);
      this.#show(alerts, cursor);
    } catch (error) {
      this.#problem.textContent = /** @type {Error} */ (error).message;
    } finally {
      this.#more.disabled = false;
    }
  }

  /**
   * @param {Alert[]} alerts
   * @param {string | null} cursor
   */
  #show(alerts, cursor) {
    this.#list.append(...alerts.map(row));
    this.#cursor = cursor;
    this.#more.hidden = cursor === null;
  }
}

/** @param {Alert} alert */
function row(alert) {
  const { at, rule, stream, event, outcome } = alert;
  const link = /** @type {HTMLAnchorElement} */ (element(event ? "a" : "span", "shown", picture(event)));
  if (event) link.href = address({}, event.id);
  if (event) link.setAttribute("aria-label", said(event));
  const label = event ? [tag({ ...event, finding: false })] : [];
  const what = element("p", "what", ...label, element("span", "where", stream));
  const when = element("p", "when", `${briefly(at)} · rule ${rule}`);
  const came = element("span", "word", outcomeInWords(alert));
  came.dataset.outcome = outcome;
  return element("li", "", link, element("div", "", what, when), came);
}

/**
 * @param {HTMLSelectElement} part
 * @param {string[]} names
 */
function offer(part, names) {
  const { value } = part;
  part.length = 1;
  for (const name of [...new Set([...names, value])].filter(Boolean)) part.add(new Option(name, name));
  part.value = value;
}

customElements.define("alert-history", AlertHistory);
