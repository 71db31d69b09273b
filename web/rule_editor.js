// @ts-check
// <rule-editor>: one rule, and beside it what it would have told of. Dispatches "saved" and "left".

import { putRule, removeRule } from "./alerts.js";
import { ruleInWords } from "./alert_words.js";
import { editorOf } from "./alerts_place.js";
import { element } from "./details.js";
import { button, confirmed, problem } from "./form.js";
import { RuleChoices } from "./rule_choices.js";
import { amiss, begun, culprit, proposed, same } from "./rule_draft.js";
import { RuleForm } from "./rule_form.js";
import { RuleTrial } from "./rule_trial.js";
import { visitor } from "./visitor.js";

/** @typedef {import("./alerts.js").KnownRule} KnownRule */
/** @typedef {import("./alerts.js").Rules} Rules */
/** @typedef {import("./alerts_place.js").Place} Place */

export class RuleEditor extends HTMLElement {
  #title = element("h2", "");
  #words = element("p", "in-words");
  #notice = element("p", "stands fine");
  #fields = /** @type {HTMLFieldSetElement} */ (element("fieldset", "all"));
  #form = new RuleForm();
  #trial = new RuleTrial();
  #problem = problem();
  #summary = element("p", "summary-line");
  #remove = confirmed("Remove…", "Remove the rule", () => this.#act(() => removeRule(this.#name)));
  #cancel = button("", () => this.#leave(), "Cancel");
  #save = button("start", () => this.#keep(), "Save");
  #footer = element("p", "buttons", this.#summary, this.#remove, this.#cancel, this.#save);
  #choices = new RuleChoices();
  /** @type {string[]} */
  #streams = [];
  /** @type {Rules} */
  #rules = { rules: [], outlets: [], failing: null };
  /** The one that is changed; "" while it is a new one. */
  #name = "";
  #proposed = "";
  #kept = begun({ streams: [], labels: [], zones: [], lines: [] }, []);
  #isOpen = false;
  #editable = false;
  #busy = false;
  #covered = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#fields.append(this.#form);
    this.#title.tabIndex = -1;
    this.#summary.setAttribute("aria-hidden", "true"); // it is said beside it
    const side = element("aside", "", this.#words, this.#trial);
    this.append(this.#title, this.#notice, element("div", "halves", this.#fields, side), this.#problem, this.#footer);
    this.#form.addEventListener("change", () => this.#changed());
    this.#trial.addEventListener("tried", () => (this.#summary.textContent = this.#trial.summary));
    window.addEventListener("beforeunload", (event) => this.unsaved && event.preventDefault());
  }

  /** Whether something was changed that is not kept. */
  get unsaved() {
    return this.#isOpen && this.#editable && !same(this.#form.value, this.#kept);
  }

  /**
   * @param {string} name of the rule; "" for a new one
   * @param {Place["about"]} about what a new one begins with
   * @param {Rules} rules all there are
   * @param {string[]} streams names
   */
  open(name, about, rules, streams) {
    const known = rules.rules.find((each) => each.name === name);
    [this.#name, this.#rules, this.#streams, this.#isOpen] = [name, rules, streams, true];
    this.#choices.forget();
    this.#trial.forget();
    this.#covered = this.#problem.textContent = "";
    this.#editable = name === "" || known?.may_change === true;
    this.#title.textContent = name === "" ? "New rule" : `Rule ${name}`;
    this.#notice.textContent = known ? notice(known) : name === "" ? "" : `There is no rule “${name}” any more.`;
    const begins = known?.rule ?? begun(about, rules.outlets);
    this.#proposed = name || proposed(begins, this.#taken);
    this.#form.fill(this.#proposed, begins, streams, name === "");
    this.#kept = this.#form.value;
    this.#fields.disabled = !this.#editable;
    for (const part of [this.#save, this.#cancel]) part.hidden = !this.#editable;
    this.#remove.hidden = !this.#editable || name === "";
    this.#changed();
    this.#title.focus({ preventScroll: true });
  }

  /** The list of streams came late, or has changed.
   * @param {string[]} streams names
   */
  know(streams) {
    if (!this.#isOpen || String(streams) === String(this.#streams) || this.querySelector("stream-patterns :focus"))
      return;
    this.#streams = streams;
    this.#choices.forget();
    this.#form.know(streams);
    this.#offer();
  }

  /** What was not kept is lost. */
  close() {
    this.#isOpen = false;
    this.#trial.forget();
  }

  get #taken() {
    return this.#rules.rules.map(({ name }) => name).filter((name) => name !== this.#name);
  }

  #changed() {
    if (!this.#isOpen) return;
    const rule = this.#form.value;
    if (this.#name === "" && this.#form.name === this.#proposed && !same(rule, this.#kept)) {
      this.#form.name = this.#proposed = proposed(rule, this.#taken); // until somebody calls it something
    }
    const wrong = amiss(this.#form.name, rule, this.#taken);
    this.#form.tell(wrong);
    const { name, ...others } = wrong;
    const sound = Object.keys(others).length === 0;
    this.#words.textContent = sound ? ruleInWords(rule) : "";
    this.#trial.show(sound && visitor.may("operate") ? rule : null);
    if (rule.streams.join() !== this.#covered) this.#offer();
  }

  /** What the streams it covers have to be chosen. */
  async #offer() {
    const { streams } = this.#form.value;
    const covered = (this.#covered = streams.join());
    const named = await this.#choices.of(streams, this.#streams);
    if (covered === this.#covered) this.#form.offer({ ...named, outlets: this.#rules.outlets });
  }

  async #keep() {
    const [name, rule] = [this.#form.name, this.#form.value];
    const wrong = amiss(name, rule, this.#taken);
    if (Object.keys(wrong).length > 0) return this.#form.enter();
    await this.#act(async () => {
      await putRule(name, rule);
    });
  }

  /** @param {() => Promise<void>} act after which there is nothing more to be done here */
  async #act(act) {
    if (this.#busy) return;
    [this.#busy, this.#save.disabled, this.#problem.textContent] = [true, true, ""];
    try {
      await act();
      this.close();
      this.dispatchEvent(new Event("saved"));
    } catch (error) {
      this.#refused(/** @type {Error} */ (error).message);
    } finally {
      [this.#busy, this.#save.disabled] = [false, false];
    }
  }

  /** @param {string} message */
  #refused(message) {
    const field = culprit(message);
    if (field) this.#form.tell({ [field]: message });
    else this.#problem.textContent = message;
    if (field) this.#form.enter();
  }

  #leave() {
    this.dispatchEvent(new Event("left"));
  }
}

/** @param {KnownRule} rule */
function notice({ origin, may_change, unknown_outlets }) {
  const gone =
    unknown_outlets.length > 0 ? `It names outlets that there are no more: ${unknown_outlets.join(", ")}.` : "";
  if (may_change) return gone;
  const why =
    origin === "file"
      ? "It stands in the configuration file, and is changed there."
      : "It covers streams that are not yours to change.";
  return [why, gone].filter(Boolean).join(" ");
}

/** A link to where a rule is changed.
 * @param {string} name "" for a new one
 * @param {string} word
 * @param {string} className
 */
export function toEditor(name, word, className = "") {
  const link = /** @type {HTMLAnchorElement} */ (element("a", className, word));
  link.href = editorOf(name);
  return link;
}

customElements.define("rule-editor", RuleEditor);
