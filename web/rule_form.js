// @ts-check
// <rule-form>: all that a rule says, to be changed. Dispatches "change" whenever it says something else.

import { element } from "./details.js";
import { choices, field, fieldset } from "./form.js";
import { HourSpans } from "./hour_spans.js";
import { NameChoice } from "./name_choice.js";
import { StreamPatterns } from "./patterns.js";
import { TimeSpan } from "./time_span.js";

/** @typedef {import("./alerts.js").Rule} Rule */
/** @typedef {import("./rule_draft.js").Field} Field */
/** @typedef {{ classes: string[], zones: string[], lines: string[], outlets: string[] }} Choices */

export class RuleForm extends HTMLElement {
  #name = field("name", { maxlength: "64" });
  #naming = element("section", "");
  #streams = new StreamPatterns([], ["*"]);
  #where = element("div", "");
  #labels = new NameChoice("class", "Any class, as long as none is chosen.", "others, with commas between");
  #score = field("score", {
    type: "number",
    min: "0",
    max: "100",
    step: "1",
    inputmode: "decimal",
    placeholder: "any",
  });
  #zones = new NameChoice("zone", "Anywhere in the picture, as long as none is chosen.");
  #lines = new NameChoice("line", "");
  #dwell = new TimeSpan("dwell", "at once");
  #hours = new HourSpans();
  #outlets = new NameChoice("outlet", "Nobody: what meets the rule is listed in the history alone.");
  #end = choices("checkbox", "tell_end", [["end", "Tell of its end, too"]]);
  #cooldown = new TimeSpan("cooldown", "at once");
  #ruleCooldown = new TimeSpan("rule_cooldown", "at once");
  #zonesSet = fieldset("It has been in one of these zones", this.#zones);
  #linesSet = fieldset("or has crossed one of these lines", this.#lines);
  #none = element("p", "fine", "No zones or lines are drawn on these streams.");
  /** @type {Map<Field, HTMLElement>} what is wrong, by what it is about */
  #told = new Map();

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const score = this.#asked("min_score", "Score at least, % ", this.#score);
    const dwell = this.#asked("dwell", "Told once it has been there for ", this.#dwell);
    this.#naming.append(this.#asked("name", "Name ", this.#name));
    this.#where.append(this.#streams);
    this.append(
      this.#naming,
      section("Where", this.#where, this.#line("streams"), this.#zonesSet, this.#linesSet, this.#none, dwell),
      section("What", fieldset("Classes", this.#labels), score),
      section("When", fieldset("Hours, by the server’s clock", this.#hours, this.#line("hours"))),
      section("Who is told", this.#outlets, ...this.#end),
      section(
        "How often",
        this.#asked("cooldown", "Of the same class on the same stream again after ", this.#cooldown),
        this.#asked("rule_cooldown", "Of anything again after ", this.#ruleCooldown),
      ),
    );
    for (const kind of ["input", "change"])
      this.addEventListener(kind, (event) => {
        if (event.target === this) return;
        event.stopPropagation();
        this.dispatchEvent(new Event("change"));
      });
  }

  /**
   * @param {string} name "" where it is to be chosen
   * @param {Rule} rule
   * @param {string[]} streams that there are
   * @param {boolean} renamable
   */
  fill(name, rule, streams, renamable) {
    this.#name.value = name;
    this.#naming.hidden = !renamable;
    this.#streams = new StreamPatterns(streams, rule.streams);
    this.#where.replaceChildren(this.#streams);
    this.#labels.value = rule.labels;
    this.#zones.value = rule.zones;
    this.#lines.value = rule.lines;
    this.#score.value = rule.min_score === 0 ? "" : String(Math.round(rule.min_score * 1e4) / 100);
    this.#dwell.value = rule.dwell;
    this.#hours.show(rule.hours, true);
    this.#outlets.value = rule.outlets;
    this.#cooldown.value = rule.cooldown;
    this.#ruleCooldown.value = rule.rule_cooldown;
    this.#ends.checked = rule.tell_end;
    this.tell({});
  }

  /** There are others to be chosen; what is chosen stays so.
   * @param {string[]} streams
   */
  know(streams) {
    const { value } = this.#streams;
    this.#streams = new StreamPatterns(streams, value.length > 0 ? value : ["*"]);
    this.#where.replaceChildren(this.#streams);
  }

  /** @param {Choices} choices */
  offer({ classes, zones, lines, outlets }) {
    this.#labels.offer(classes);
    this.#zones.offer(zones);
    this.#lines.offer(lines);
    this.#outlets.offer(outlets);
    const [some, crossed] = [zones.length + this.#zones.value.length, lines.length + this.#lines.value.length];
    this.#zonesSet.hidden = some === 0;
    this.#linesSet.hidden = crossed === 0;
    this.#none.hidden = some + crossed > 0;
  }

  get name() {
    return this.#name.value.trim();
  }

  set name(name) {
    this.#name.value = name;
  }

  /** @returns {Rule} */
  get value() {
    const score = this.#score.validity.badInput ? NaN : this.#score.valueAsNumber || 0;
    return {
      streams: this.#streams.value,
      labels: this.#labels.value,
      zones: this.#zones.value,
      lines: this.#lines.value,
      min_score: Math.round(score * 100) / 1e4,
      dwell: this.#dwell.value,
      hours: this.#hours.value,
      cooldown: this.#cooldown.value,
      rule_cooldown: this.#ruleCooldown.value,
      outlets: this.#outlets.value,
      tell_end: this.#ends.checked,
    };
  }

  /** Says what is wrong at its field.
   * @param {Partial<Record<Field, string>>} amiss
   */
  tell(amiss) {
    for (const [about, line] of this.#told) {
      const text = amiss[about] ?? "";
      if (line.textContent !== text) line.textContent = text;
      line.previousElementSibling?.querySelector("input")?.setAttribute("aria-invalid", String(text !== ""));
    }
  }

  /** Leads to the first field that something is wrong with. */
  enter() {
    /** @type {HTMLElement | null} */ (this.querySelector('[aria-invalid="true"]'))?.focus();
  }

  get #ends() {
    return /** @type {HTMLInputElement} */ (this.#end[0]?.querySelector("input"));
  }

  /** A field, and below it what is wrong with it, which is no part of what it is called.
   * @param {Field} about
   * @param {string} word
   * @param {HTMLInputElement | TimeSpan} input
   */
  #asked(about, word, input) {
    const line = this.#line(about);
    line.id = `rule-${about}`;
    (input instanceof TimeSpan ? input.input : input).setAttribute("aria-describedby", line.id);
    return element("div", "", element("label", "", word, input), line);
  }

  /** @param {Field} about */
  #line(about) {
    const line = element("small", "problem");
    line.setAttribute("role", "alert");
    this.#told.set(about, line);
    return line;
  }
}

/**
 * @param {string} title
 * @param {Node[]} content
 */
function section(title, ...content) {
  return element("section", "", element("h3", "", title), ...content);
}

customElements.define("rule-form", RuleForm);
