// @ts-check
// <rule-trial>: what a rule would have told of within the last day, asked anew a moment after it has changed.

import { tryRule } from "./alerts.js";
import { trialInWords } from "./alert_words.js";
import { pictureOf } from "./archive.js";
import { briefly } from "./clock.js";
import { element, tag } from "./details.js";
import { problem } from "./form.js";
import { spelled } from "./rule_draft.js";
import { address } from "./search.js";
import { said } from "./verdict.js";

/** @typedef {import("./alerts.js").Rule} Rule */
/** @typedef {import("./alerts.js").Trial} Trial */

/** Between two keys that are typed there is less. */
const REST_MS = 400;
const MOST_SHOWN = 24;

/** Dispatches "tried" when what it says has changed. */
export class RuleTrial extends HTMLElement {
  #title = element("h3", "");
  #text = element("p", "fine");
  #problem = problem();
  #list = element("ul", "tried");
  #timer = 0;
  #asked = "";
  /** @type {AbortController | null} the question that is under way */
  #asking = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#title.setAttribute("role", "status");
    this.#list.setAttribute("aria-label", "What it would have told of");
    this.append(this.#title, this.#text, this.#problem, this.#list);
  }

  /** The sentence that it comes down to. */
  get summary() {
    return this.#title.textContent ?? "";
  }

  /** @param {Rule | null} rule null: one that cannot be tried as it is */
  show(rule) {
    const asked = rule ? spelled(rule) : "";
    if (asked === this.#asked) return;
    this.#stop();
    this.#asked = asked;
    if (!rule) return this.forget();
    this.ariaBusy = "true";
    this.#timer = window.setTimeout(() => this.#try(rule), this.#title.textContent === "" ? 0 : REST_MS);
  }

  /** Nothing of one rule stays for the next. */
  forget() {
    this.#stop();
    this.#asked = "";
    this.ariaBusy = null;
    this.#say("", "", "");
    this.#list.replaceChildren();
    this.dispatchEvent(new Event("tried"));
  }

  #stop() {
    window.clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = null;
  }

  /** @param {Rule} rule */
  async #try(rule) {
    const asking = (this.#asking = new AbortController());
    try {
      const trial = await tryRule(rule, asking.signal);
      if (asking !== this.#asking) return;
      this.#draw(trial, rule.outlets.length > 0);
    } catch (error) {
      if (asking !== this.#asking) return;
      this.#say("It cannot be tried", "", /** @type {Error} */ (error).message);
      this.#list.replaceChildren();
    }
    this.ariaBusy = null;
    this.dispatchEvent(new Event("tried"));
  }

  /**
   * @param {Trial} trial
   * @param {boolean} tells whether it has anybody to tell
   */
  #draw(trial, tells) {
    const shown = trial.alerts.slice(0, MOST_SHOWN);
    const more = trial.count > shown.length ? ` These are the newest ${shown.length}.` : "";
    const [title, text] = trialInWords(trial, tells);
    this.#say(title, `${text}${more}`, "");
    this.#list.replaceChildren(...shown.map(cell));
  }

  /**
   * @param {string} title
   * @param {string} text
   * @param {string} wrong
   */
  #say(title, text, wrong) {
    this.#title.textContent = title;
    this.#text.textContent = text;
    this.#problem.textContent = wrong;
  }
}

/** @param {Trial["alerts"][number]} alert */
function cell({ at, event }) {
  const link = /** @type {HTMLAnchorElement} */ (element("a", "", picture(event)));
  link.href = address({}, event.id);
  link.target = "_blank"; // what is written here is not left for it
  link.setAttribute("aria-label", `${said(event)} (in a new tab)`);
  const what = element("p", "what", tag({ ...event, finding: false }), element("span", "where", event.stream));
  link.append(what, element("p", "when", briefly(at)));
  return element("li", "tried-one", link);
}

/** An event's picture, small.
 * @param {import("./archive.js").KeptEvent | null} event null: it is gone
 */
export function picture(event) {
  const frame = element("span", "thumbnail", element("span", "nothing", event ? "No picture" : "Gone"));
  if (!event?.has_picture) return frame;
  const image = /** @type {HTMLImageElement} */ (element("img", ""));
  image.alt = "";
  image.loading = "lazy";
  image.decoding = "async";
  image.addEventListener("error", () => image.remove()); // it was let go meanwhile
  image.src = pictureOf(event, "thumbnail");
  frame.append(image);
  return frame;
}

customElements.define("rule-trial", RuleTrial);
