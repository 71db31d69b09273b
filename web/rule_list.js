// @ts-check
// <rule-list>: what is told to whom, each rule in words.

import { rules } from "./alerts.js";
import { cooldownInWords, ruleInWords } from "./alert_words.js";
import { moment } from "./clock.js";
import { element } from "./details.js";
import { button, problem } from "./form.js";
import { Listing } from "./listing.js";
import { toEditor } from "./rule_editor.js";
import { askSilence, hourOf } from "./silence_dialog.js";
import { silencesNow } from "./silences.js";
import { table } from "./table.js";
import { visitor } from "./visitor.js";

/** @typedef {import("./alerts.js").KnownRule} KnownRule */
/** @typedef {import("./alerts.js").Rules} Rules */

const NONE = "No rules yet: nobody is told of anything.";
const FILE = "alerts:\n  night:\n    zones: [yard]\n    hours: [22:00-06:00]\n    outlets: [phone]";

export class RuleList extends Listing {
  #table = table("Rules", ["Name", "What it says", "Last day", "Last told", ""]);
  #add = toEditor("", "New rule", "start");
  #failing = problem();
  #file = element("pre", "", FILE);
  /** @type {Rules | null} as the server had them last */
  #known = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const text = "Which events are told, to whom. Each is tried on the last day’s events before it is saved.";
    this.append(
      element("header", "", element("p", "fine", text), this.#add),
      this.#failing,
      this.#table.node,
      this.instead,
      this.#file,
    );
    this.#file.hidden = true;
    silencesNow.addEventListener("change", () => this.#known && this.#draw(this.#known.rules));
  }

  /** @override */
  async fetch() {
    const known = (this.#known = await rules());
    this.#add.hidden = !visitor.may("operate");
    this.#failing.textContent = known.failing
      ? `Nothing can be noted for now (${known.failing}). What is seen waits.`
      : "";
    this.#draw(known.rules);
    this.#file.hidden = known.rules.length > 0 || !visitor.may("operate");
    return known.rules.length === 0 ? NONE : "";
  }

  /** Nothing of one person stays for the next. */
  clear() {
    this.#known = null;
    this.#draw([]);
  }

  /** @param {KnownRule[]} all */
  #draw(all) {
    this.#table.clear();
    for (const rule of all) this.#table.row(cells(rule));
    this.#table.node.hidden = all.length === 0;
  }
}

/** @param {KnownRule} known */
function cells(known) {
  const { name, origin, hidden, may_change, rule, unknown_outlets, alerts, told, last_told_at } = known;
  const silence = silencesNow.covering({ rule: name, stream: null }).at(-1);
  const gone = unknown_outlets.length > 0 ? `There is no outlet ${unknown_outlets.join(", ")} any more.` : "";
  const edit = toEditor(name, may_change ? "Edit" : "Show", "edit");
  edit.setAttribute("aria-label", `${may_change ? "Edit" : "Show"} ${name}`);
  const quiet = button("", () => askSilence({ rule: name, stream: null }), "Silence…");
  quiet.setAttribute("aria-label", `Silence ${name}…`);
  quiet.hidden = hidden || !visitor.may("operate");
  return [
    [name, element("small", "", hidden ? "not in force: the file has one of this name" : from(origin))],
    [
      element(
        "div",
        "",
        element("p", "", ruleInWords(rule)),
        element("small", "", cooldownInWords(rule)),
        element("small", "problem", gone),
        ...(silence && !hidden ? [silencedWord(silence.until)] : []),
      ),
    ],
    [lastDay(alerts, told)],
    [last_told_at === null ? "never" : moment(last_told_at)],
    [quiet, edit],
  ];
}

/** Where a rule comes from.
 * @param {KnownRule["origin"]} origin
 */
function from(origin) {
  return origin === "file" ? "of the file" : "made here";
}

/** @param {number} until seconds since 1970 */
function silencedWord(until) {
  const word = element("span", "word", `silent until ${hourOf(until)}`);
  word.dataset.silenced = "";
  return word;
}

/**
 * @param {number} alerts
 * @param {number} told of those
 */
function lastDay(alerts, told) {
  if (alerts === 0) return "–";
  return told === alerts ? `${told} told` : `${told} told of ${alerts}`;
}

customElements.define("rule-list", RuleList);
