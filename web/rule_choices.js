// @ts-check
// The classes, zones and lines that a rule can name: those that the streams it covers have, and have had. No DOM.

import { facets } from "./archive.js";
import { read } from "./places.js";
import { request } from "./request.js";

/** @typedef {{ classes: string[], zones: string[], lines: string[] }} Named */

const EVERY = "*";
/** Of more streams than these not all are asked: what they have had is known anyway. */
const MOST_ASKED = 16;

export class RuleChoices {
  /** @type {Map<string, Promise<Named>>} of each stream that was asked; "" for what all have had */
  #known = new Map();

  /**
   * @param {string[]} patterns of a rule
   * @param {string[]} streams that there are
   * @returns {Promise<Named>} each once, in order; what cannot be asked is left out
   */
  async of(patterns, streams) {
    const covered = streams.filter((name) => patterns.some((pattern) => fits(pattern, name)));
    const asked = patterns.includes(EVERY) ? ["", ...covered] : covered;
    const found = await Promise.all(asked.slice(0, MOST_ASKED).map((name) => this.#ask(name)));
    const [classes, zones, lines] = [
      found.flatMap((each) => each.classes),
      found.flatMap((each) => each.zones),
      found.flatMap((each) => each.lines),
    ].map((names) => [...new Set(names)].sort());
    return { classes: classes ?? [], zones: zones ?? [], lines: lines ?? [] };
  }

  /** What was known may be another by now. */
  forget() {
    this.#known.clear();
  }

  /** @param {string} stream */
  #ask(stream) {
    const known = this.#known.get(stream) ?? (stream === "" ? had("") : both(stream));
    this.#known.set(stream, known);
    return known;
  }
}

/**
 * Whether a name is of a pattern, where * stands for any letters and ? for one.
 *
 * @param {string} pattern
 * @param {string} name
 */
export function fits(pattern, name) {
  const source = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, (sign) => ({ "*": ".*", "?": "." })[sign] ?? `\\${sign}`);
  return new RegExp(`^${source}$`).test(name);
}

/** @param {string} stream */
async function both(stream) {
  const [before, now, model] = await Promise.all([had(stream), drawn(stream), told(stream)]);
  return {
    classes: [...before.classes, ...model],
    zones: [...before.zones, ...now.zones],
    lines: [...before.lines, ...now.lines],
  };
}

/**
 * @param {string} stream "" for all
 * @returns {Promise<Named>}
 */
async function had(stream) {
  return facets(stream).catch(() => ({ classes: [], zones: [], lines: [] }));
}

/** @param {string} stream */
async function drawn(stream) {
  const found = await read(stream).catch(() => null);
  return { zones: Object.keys(found?.places.zones ?? {}), lines: Object.keys(found?.places.lines ?? {}) };
}

/** The classes that a stream's model tells apart, once it was met.
 * @param {string} stream
 * @returns {Promise<string[]>}
 */
async function told(stream) {
  const response = await request("GET", `api/streams/${encodeURIComponent(stream)}`).catch(() => null);
  /** @type {{ labels?: string[] } | undefined} */
  const found = await response?.json();
  return found?.labels ?? [];
}
