// @ts-check
// <audit-list>: who did what, when and from where; the newest first, found by who, what and day, more when asked for.

import { audit } from "./accounts.js";
import { bounds, moment } from "./clock.js";
import { element } from "./details.js";
import { button, field, select } from "./form.js";
import { Listing } from "./listing.js";
import { table } from "./table.js";

/** @typedef {import("./accounts.js").Deed} Deed */

const TYPED_MS = 300;
/** The first words of deeds, by which the server finds them all.
 * @type {[string, string][]}
 */
const KINDS = [
  ["", "Anything"],
  ["sign", "Signing in and out"],
  ["password", "Passwords"],
  ["session", "Sessions"],
  ["user", "Users"],
  ["token", "Tokens"],
  ["link", "Links"],
  ["stream", "Streams"],
];

export class AuditList extends Listing {
  #table = table("Audit", ["When", "Who", "What", "To", "From", ""]);
  #names = /** @type {HTMLDataListElement} */ (element("datalist", ""));
  #who = field("who", { type: "search", list: "audit-names" });
  #what = select(KINDS);
  #day = field("day", { type: "date" });
  #more = button("more", () => this.#next(), "More");
  /** @type {string | null} */
  #cursor = null;
  #timer = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#names.id = "audit-names";
    const filter = element(
      "form",
      "filter",
      element("label", "", "Who ", this.#who),
      element("label", "", "What ", this.#what),
      element("label", "", "Day ", this.#day),
      this.#names,
    );
    filter.setAttribute("role", "search");
    filter.addEventListener("submit", (event) => event.preventDefault());
    filter.addEventListener("input", () => {
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.load(), TYPED_MS);
    });
    this.append(filter, this.#table.node, this.instead, this.#more);
  }

  /** @override */
  async fetch() {
    const { deeds, cursor } = await audit(this.#wanted, null);
    this.#table.clear();
    this.#show(deeds, cursor);
    return this.#table.size === 0 ? "Nothing that fits." : "";
  }

  get #wanted() {
    const [from, to] = this.#day.value ? bounds(this.#day.value) : [null, null];
    return { who: this.#who.value.trim(), what: this.#what.value, from, to };
  }

  async #next() {
    this.#more.disabled = true;
    try {
      const { deeds, cursor } = await audit(this.#wanted, this.#cursor);
      this.#show(deeds, cursor);
    } catch (error) {
      this.say(/** @type {Error} */ (error).message);
    } finally {
      this.#more.disabled = false;
    }
  }

  /**
   * @param {Deed[]} deeds
   * @param {string | null} cursor
   */
  #show(deeds, cursor) {
    for (const deed of deeds) this.#table.row(cells(deed)).classList.toggle("refused-deed", !deed.ok);
    this.#offer(deeds.map(({ who }) => who));
    this.#table.node.hidden = this.#table.size === 0;
    this.#cursor = cursor;
    this.#more.hidden = cursor === null;
  }

  /** Whoever did something can be chosen, for the server finds nobody by a part of his name.
   * @param {string[]} names
   */
  #offer(names) {
    const known = new Set([...this.#names.options].map(({ value }) => value));
    const fresh = [...new Set(names)].filter((name) => !known.has(name));
    this.#names.append(...fresh.map((name) => new Option(name, name)));
  }
}

/** @param {Deed} deed */
function cells({ at, who, what, target, address, ok, detail }) {
  const refused = ok ? [] : [element("span", "word", "refused")];
  const end = [...refused, ...(detail ? [element("small", "", detail)] : [])];
  return [[moment(at, true)], [who], [element("code", "", what)], [target], [address], end];
}

customElements.define("audit-list", AuditList);
