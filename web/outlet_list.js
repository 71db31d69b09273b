// @ts-check
// <outlet-list>: who can be told, and how each fares; looked at anew while somebody looks.

import { outlets } from "./alerts.js";
import { element } from "./details.js";
import { Listing } from "./listing.js";
import { OutletCard } from "./outlet_card.js";

const LOOK_MS = 5000;
const NONE = "Nobody can be told yet: a receiver, or a broker, stands in the configuration.";
const FILE = "webhooks:\n  phone:\n    url: https://ntfy.sh/a-topic-that-nobody-guesses\n    recipe: ntfy";

export class OutletList extends Listing {
  #cards = element("div", "outlets");
  #file = element("pre", "", FILE);
  /** @type {Map<string, OutletCard>} */
  #known = new Map();
  #timer = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const text = "Who can be told. Each stands in the configuration file, for its address is a secret with many.";
    this.append(element("header", "", element("p", "fine", text)), this.#cards, this.instead, this.#file);
    this.#file.hidden = true;
    this.addEventListener("changed", () => this.#look());
  }

  /** @param {boolean} on whether somebody looks at it */
  watch(on) {
    if (on === (this.#timer !== 0)) return;
    window.clearInterval(this.#timer);
    this.#timer = on ? window.setInterval(() => !document.hidden && this.#look(), LOOK_MS) : 0;
    if (on) this.load();
  }

  /** Nothing of one person stays for the next. */
  clear() {
    this.#known.clear();
    this.#cards.replaceChildren();
  }

  /** @override */
  async fetch() {
    const all = await outlets();
    for (const [name, card] of this.#known) {
      if (all.some((each) => each.name === name)) continue;
      card.remove();
      this.#known.delete(name);
    }
    for (const each of all) {
      const card = this.#known.get(each.name) ?? new OutletCard();
      this.#known.set(each.name, card);
      if (!card.isConnected) this.#cards.append(card);
      card.show(each);
    }
    this.#file.hidden = all.length > 0;
    return all.length === 0 ? NONE : "";
  }

  /** Without words about it: what was known stays until the next answer. */
  #look() {
    this.fetch().catch(() => {});
  }
}

customElements.define("outlet-list", OutletList);
