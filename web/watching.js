// @ts-check
// How one person watches: by which way, in step or at once, and what is drawn. Kept in this browser, for each by name.

import { visitor } from "./visitor.js";

/** @typedef {"auto" | "webcodecs" | "mse" | "webrtc" | "mjpeg"} WayChoice */
/**
 * @typedef {object} Choices
 * @property {WayChoice} way the best one that is tried
 * @property {boolean} exact whether pictures wait for their boxes
 * @property {boolean} boxes
 * @property {boolean} labels
 * @property {boolean} scores
 * @property {boolean} ids
 * @property {boolean} zones
 * @property {boolean} bold
 * @property {string[]} hidden labels of classes that are not drawn
 * @property {number} least score of what is drawn, 0..1
 */

/** @type {Choices} */
const USUAL = {
  way: "auto",
  exact: true,
  boxes: true,
  labels: true,
  scores: true,
  ids: false,
  zones: false,
  bold: false,
  hidden: [],
  least: 0,
};
/** @type {WayChoice[]} */
const WAYS = ["auto", "webcodecs", "mse", "webrtc", "mjpeg"];

/** Dispatches "change" when anything is another. */
export class Watching extends EventTarget {
  /** @type {Choices} */
  #choices = { ...USUAL };
  #of = "";

  constructor() {
    super();
    this.#read();
    visitor.addEventListener("change", () => this.#of === visitor.name || this.#read());
  }

  /** @returns {Readonly<Choices>} */
  get choices() {
    return this.#choices;
  }

  /** @param {Partial<Choices>} some */
  change(some) {
    this.#choices = { ...this.#choices, ...some };
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#choices));
    } catch {
      // a browser that keeps nothing has it until the page is left
    }
    this.dispatchEvent(new Event("change"));
  }

  get #key() {
    return `sightline.watching.${this.#of}`;
  }

  #read() {
    this.#of = visitor.name;
    /** @type {Partial<Choices>} */
    let kept = {};
    try {
      kept = JSON.parse(localStorage.getItem(this.#key) ?? "{}");
    } catch {
      // as usual then
    }
    this.#choices = sound(kept);
    this.dispatchEvent(new Event("change"));
  }
}

/** What was kept by another version, or by hand, counts where it can.
 * @param {Partial<Choices> | null} kept
 * @returns {Choices}
 */
export function sound(kept) {
  const choices = { ...USUAL, hidden: [...USUAL.hidden] };
  for (const name of /** @type {(keyof Choices)[]} */ (Object.keys(USUAL)))
    if (typeof kept?.[name] === typeof USUAL[name]) Object.assign(choices, { [name]: kept?.[name] });
  if (!WAYS.includes(choices.way)) choices.way = USUAL.way;
  if (!Array.isArray(choices.hidden) || choices.hidden.some((each) => typeof each !== "string")) choices.hidden = [];
  choices.least = Math.min(0.95, Math.max(0, choices.least || 0));
  return choices;
}

/** The page's one. */
export const watching = new Watching();
