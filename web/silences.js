// @ts-check
// The silences that are in force, as far as the visitor may see them; asked for while somebody looks. No DOM.

import { silence, silences, unsilence } from "./alerts.js";
import { Refusal } from "./request.js";

/** @typedef {import("./alerts.js").Silence} Silence */
/** @typedef {{ rule: string | null, stream: string | null }} About null: whichever */

const LOOK_MS = 10_000;
/** Where nothing is kept there is nothing to silence, until the server has another configuration. */
const NONE_MS = 300_000;
/** Timers of a browser end at 2^31 ms. */
const LONGEST_MS = 1e9;

/** Dispatches "change" when others are in force than before. */
export class Silences extends EventTarget {
  /** @type {Silence[]} */
  #known = [];
  /** What was said to be in force last. */
  #said = "[]";
  /** Which of the questions is the one that counts; one that was overtaken says nothing. */
  #turn = 0;
  #running = false;
  #looking = 0;
  #ending = 0;

  start() {
    if (this.#running) return;
    this.#running = true;
    this.look();
  }

  /** Nobody looks for now. */
  stop() {
    this.#running = false;
    clearTimeout(this.#looking);
  }

  /** Nothing of one person stays for the next. */
  forget() {
    this.stop();
    this.#take([]);
  }

  /** @returns {Silence[]} in force, what ends first before the others */
  get inForce() {
    const now = Date.now() / 1000;
    return this.#known.filter(({ until }) => until > now).sort((one, other) => one.until - other.until);
  }

  /** Those that keep all that happens on a stream from being told.
   * @param {string} stream
   */
  ofStream(stream) {
    return this.inForce.filter((each) => each.rule === null && (each.stream === null || each.stream === stream));
  }

  /** Those that are about the same thing, or about more.
   * @param {About} about
   */
  covering({ rule, stream }) {
    return this.inForce.filter(
      (each) => (each.rule === null || each.rule === rule) && (each.stream === null || each.stream === stream),
    );
  }

  /** Asks the server anew; without an answer, what was known holds for as long as it was meant to. */
  async look() {
    clearTimeout(this.#looking);
    const turn = ++this.#turn;
    const found = await silences().catch((error) => /** @type {Error} */ (error));
    if (!this.#running || turn !== this.#turn) return;
    const none = found instanceof Refusal && found.status === 404;
    if (none || !(found instanceof Error)) this.#take(none ? [] : /** @type {Silence[]} */ (found));
    this.#looking = setTimeout(() => this.look(), none ? NONE_MS : LOOK_MS);
  }

  /**
   * @param {About} about
   * @param {number} seconds
   * @throws {Refusal}
   */
  async begin(about, seconds) {
    const made = await silence({ ...about, seconds });
    const others = this.#known.filter(({ rule, stream }) => rule !== made.rule || stream !== made.stream);
    this.#change([...others, made]); // it takes the place of one about the same
  }

  /**
   * @param {string} id
   * @throws {Refusal}
   */
  async end(id) {
    await unsilence(id).catch((error) => {
      if (!(error instanceof Refusal) || error.status !== 404) throw error; // it has ended already
    });
    this.#change(this.#known.filter((each) => each.id !== id));
  }

  /** By what was done here; a look that is under way knows nothing of it.
   * @param {Silence[]} known
   */
  #change(known) {
    this.#take(known);
    if (this.#running) this.look();
  }

  /** @param {Silence[]} known */
  #take(known) {
    this.#known = known;
    this.#tell();
  }

  #tell() {
    this.#awaitEnd();
    const said = JSON.stringify(this.inForce);
    if (said === this.#said) return;
    this.#said = said;
    this.dispatchEvent(new Event("change"));
  }

  /** One that is over is seen to be. */
  #awaitEnd() {
    clearTimeout(this.#ending);
    const [next] = this.inForce;
    if (!next) return;
    const left = Math.min(next.until * 1000 - Date.now() + 50, LONGEST_MS);
    this.#ending = setTimeout(() => this.#tell(), left);
  }
}

/** The page's one. */
export const silencesNow = new Silences();
