// @ts-check
// A list of the people page: asked for when it is looked at, and words where there is nothing, or no answer.

import { element } from "./details.js";
import { button } from "./form.js";

export class Listing extends HTMLElement {
  /** Names that are offered where streams are chosen.
   * @type {string[]}
   */
  streams = [];
  /** What stands in the place of the list. */
  #words = element("p", "words");
  #again = button("", () => this.load(), "Try again");
  #instead = element("div", "instead", this.#words, this.#again);
  /** Which question is the one that counts. */
  #turn = 0;

  constructor() {
    super();
    this.#words.setAttribute("role", "status");
  }

  /** Words instead of the list; goes below it. */
  get instead() {
    return this.#instead;
  }

  /** Asks the server anew. */
  async load() {
    const turn = ++this.#turn;
    this.ariaBusy = "true";
    this.say("");
    try {
      const said = await this.fetch();
      if (turn === this.#turn) this.say(said);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.say(/** @type {Error} */ (error).message);
      this.#again.hidden = false;
    } finally {
      if (turn === this.#turn) this.ariaBusy = null;
    }
  }

  /**
   * Asks for the list and shows it.
   *
   * @returns {Promise<string>} what to say where it is empty, or ""
   */
  async fetch() {
    return "";
  }

  /** @param {string} text */
  say(text) {
    this.#words.textContent = text;
    this.#again.hidden = true;
    this.#instead.hidden = text === "";
  }
}
