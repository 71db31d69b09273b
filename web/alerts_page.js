// @ts-check
// <alerts-page>: what is told to whom, what was told, how those fare who are told, and what is silenced. The address says
// which of these is shown, and which rule is changed.

import { rules } from "./alerts.js";
import { AlertHistory } from "./alert_history.js";
import { partAt, read } from "./alerts_place.js";
import { element } from "./details.js";
import { button, problem } from "./form.js";
import { mayBeLost } from "./leaving.js";
import { OutletList } from "./outlet_list.js";
import { RuleEditor } from "./rule_editor.js";
import { RuleList } from "./rule_list.js";
import { askSilence, silenceList } from "./silence_dialog.js";
import { silencesNow } from "./silences.js";
import { visitor } from "./visitor.js";

/** @typedef {import("./alerts_place.js").Part} Part */
/** @typedef {import("./alerts_place.js").Place} Place */
/** @typedef {import("./feed.js").Stream} Stream */

/** @type {Record<Part, string>} */
const TITLES = { rules: "Rules", history: "History", outlets: "Outlets" };

export class AlertsPage extends HTMLElement {
  #rules = new RuleList();
  #history = new AlertHistory();
  #outlets = new OutletList();
  #editor = new RuleEditor();
  /** @type {Record<Part, RuleList | AlertHistory | OutletList>} */
  #parts = { rules: this.#rules, history: this.#history, outlets: this.#outlets };
  /** @type {Map<Part, HTMLAnchorElement>} */
  #links = new Map();
  #tabs = element("nav", "tabs");
  #silence = button("silence-all", () => askSilence({ rule: null, stream: null }), "Silence all…");
  #inForce = element("div", "in-force");
  #problem = problem();
  /** @type {string[]} names of the streams there are */
  #streams = [];
  /** @type {string | null} of the address; null while it is not looked at */
  #hash = null;
  #asking = false;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    for (const [part, title] of /** @type {[Part, string][]} */ (Object.entries(TITLES))) {
      const link = /** @type {HTMLAnchorElement} */ (element("a", "", title));
      link.href = partAt(part);
      this.#links.set(part, link);
    }
    this.#tabs.append(...this.#links.values());
    this.#tabs.setAttribute("aria-label", "Alerts");
    const top = element("div", "top", this.#tabs, this.#silence);
    this.append(top, this.#inForce, this.#problem, ...Object.values(this.#parts), this.#editor);
    for (const part of [...Object.values(this.#parts), this.#editor]) part.hidden = true;
    this.#editor.addEventListener("saved", () => (location.hash = partAt("rules")));
    this.#editor.addEventListener("left", () => (location.hash = partAt("rules")));
    this.#inForce.setAttribute("aria-live", "polite");
    silencesNow.addEventListener("change", () => this.#drawSilences());
    this.#drawSilences();
  }

  /** @param {string | null} hash of the address, without its sign; null while it is not looked at */
  show(hash) {
    this.hidden = hash === null;
    if (hash === this.#hash) return;
    this.#hash = hash;
    this.#problem.textContent = "";
    this.#editor.close();
    const { part, edit, about } = hash === null ? { part: null, edit: null, about: null } : read(hash);
    this.#editor.hidden = true;
    this.#outlets.watch(part === "outlets");
    this.#silence.hidden = !visitor.may("operate");
    const operates = visitor.may("operate");
    /** @type {HTMLAnchorElement} */ (this.#links.get("outlets")).hidden = !operates;
    for (const [each, link] of this.#links) {
      const here = each === part;
      this.#parts[each].hidden = !here || edit !== null;
      if (here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (part === null) return;
    window.scrollTo(0, 0);
    if (edit !== null) this.#edit(edit, about);
    else if (part !== "outlets") this.#parts[part].load();
    if (part === "history") this.#offer();
  }

  /** @param {Stream[]} streams */
  update(streams) {
    this.#streams = streams.map(({ name }) => name);
    this.#editor.know(this.#streams);
  }

  /** Nothing of one person stays for the next. */
  forget() {
    this.#editor.close();
    this.#hash = null;
    for (const part of Object.values(this.#parts)) part.clear();
  }

  /**
   * Whether the address may lead elsewhere; where a rule is unsaved, asks first, and leads there after that.
   *
   * @param {string} hash that it leads to, with its sign
   */
  mayLeave(hash) {
    const own = `#${this.#hash}`;
    if (!this.#editor.unsaved || hash === own) return true;
    if (location.hash !== own) history.pushState(null, "", own);
    if (this.#asking) return false;
    this.#asking = true;
    mayBeLost("The rule is as it was before.", "What you changed is not saved", "Go on").then((lost) => {
      this.#asking = false;
      if (!lost) return;
      this.#editor.close();
      location.hash = hash || "#";
    });
    return false;
  }

  /**
   * @param {string} name of the rule; "" for a new one
   * @param {Place["about"]} about
   */
  async #edit(name, about) {
    const hash = this.#hash;
    try {
      const all = await rules();
      if (hash !== this.#hash) return;
      this.#editor.hidden = false;
      this.#editor.open(name, about, all, this.#streams);
    } catch (error) {
      if (hash === this.#hash) this.#problem.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** What can be looked for in the history. */
  async #offer() {
    const all = await rules().catch(() => null);
    this.#history.offer({ rules: all?.rules.map(({ name }) => name) ?? [], streams: this.#streams });
  }

  #drawSilences() {
    const { inForce } = silencesNow;
    this.#inForce.replaceChildren(...(inForce.length > 0 ? [silenceList(inForce, this.#problem)] : []));
  }
}

customElements.define("alerts-page", AlertsPage);
