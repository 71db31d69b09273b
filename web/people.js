// @ts-check
// <people-page>: users, tokens and the audit, for who administers; the address says which of the three is shown.

import { AuditList } from "./audit.js";
import { element } from "./details.js";
import { TokenList } from "./tokens.js";
import { UserList } from "./users.js";

/** @typedef {HTMLElement & { load(): void }} Part asks the server anew */
/** @typedef {import("./feed.js").Stream} Stream */

/** Places on the page; no stream is called so, for a name does not begin with a plus. */
const PARTS = { "+users": "Users", "+tokens": "Tokens", "+audit": "Audit" };

/** @param {string} place */
export function isPeople(place) {
  return place in PARTS;
}

export class PeoplePage extends HTMLElement {
  #users = new UserList();
  #tokens = new TokenList();
  #audit = new AuditList();
  /** @type {Map<string, [HTMLElement, Part]>} links and what they lead to, by place */
  #parts = new Map();
  #shown = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const parts = [this.#users, this.#tokens, this.#audit];
    Object.entries(PARTS).forEach(([place, title], index) => {
      const link = /** @type {HTMLAnchorElement} */ (element("a", "", title));
      link.href = `#${place}`;
      this.#parts.set(place, [link, /** @type {Part} */ (parts[index])]);
    });
    const links = element("nav", "tabs", ...[...this.#parts.values()].map(([link]) => link));
    links.setAttribute("aria-label", "Users and tokens");
    this.append(links, ...parts);
  }

  /** @param {string} place "" while it is not looked at: what it showed is forgotten */
  show(place) {
    if (place === this.#shown) return;
    this.#shown = place;
    this.hidden = place === "";
    for (const [each, [link, part]] of this.#parts) {
      const here = each === place;
      part.hidden = !here;
      if (here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      if (here) part.load();
    }
  }

  /** Names that are offered where streams are chosen.
   * @param {Stream[]} streams
   */
  update(streams) {
    this.#users.streams = this.#tokens.streams = streams.map(({ name }) => name);
  }

  /** @param {string} place */
  static title(place) {
    return PARTS[/** @type {keyof typeof PARTS} */ (place)] ?? "";
  }
}

customElements.define("people-page", PeoplePage);
