// @ts-check
// The figures of one stream as DOM nodes. All text from the server goes through textContent.

import { colorOf } from "./class_color.js";
import { inWords } from "./latency.js";
import { duration } from "./readout.js";

/** @typedef {import("./sightings.js").Seen} Seen */
/** @typedef {import("./sightings.js").Sighting} Sighting */
/** @typedef {import("./latency.js").DelayPart} DelayPart */
/** @typedef {import("./readout.js").Metric} Metric */

/**
 * @param {string} tag
 * @param {string} className
 * @param {(string | Node)[]} content
 */
export function element(tag, className, ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...content);
  return node;
}

/** @param {number} at wall clock, ms */
export function clock(at) {
  return new Date(at).toLocaleTimeString([], { hour12: false });
}

/** @param {number} value */
function percent(value) {
  return `${Math.round(value * 100)} %`;
}

/** @param {Metric} metric */
export function figure({ value, unit }) {
  return [element("b", "", value ?? "–"), ...(unit ? [` ${unit}`] : [])];
}

/**
 * A label in the colour its boxes are drawn in.
 *
 * @param {{ label: string, class_id: number, finding: boolean }} of
 * @param {string} [text]
 */
export function tag({ label, class_id, finding }, text = label) {
  const node = element("span", finding ? "tag finding" : "tag", text);
  node.dataset.color = colorOf(class_id);
  return node;
}

/** @param {Seen[]} seen */
export function chips(seen) {
  return seen.map((entry) => {
    const chip = tag(entry);
    chip.append(element("b", "", String(entry.count)));
    return element("li", "", chip);
  });
}

/** @param {Seen[]} seen */
export function seenRows(seen) {
  if (seen.length === 0) return [element("li", "none", "Nothing right now")];
  return seen.map((entry) =>
    element(
      "li",
      "",
      element("b", "", String(entry.count)),
      element("span", "label", tag(entry)),
      element("span", "score", `best ${percent(entry.best)}`),
    ),
  );
}

/** @param {Sighting[]} list */
export function sightingRows(list) {
  if (list.length === 0) return [element("li", "none", "None since this page was opened")];
  return list.map((sighting) => {
    const { since, until, most, best, over } = sighting;
    const text = most > 1 ? `${sighting.label} ×${most}` : sighting.label;
    return element(
      "li",
      "",
      element("time", "", clock(since)),
      element("span", "label", tag(sighting, text)),
      element("span", over ? "" : "open", over ? `for ${duration(Math.max(until - since, 1000))}` : "in view"),
      element("span", "score", percent(best)),
    );
  });
}

/**
 * @param {[string, string | null][]} entries name and value; those without a value are left out
 */
export function definitions(entries) {
  return entries.flatMap(([name, value]) =>
    value === null ? [] : [element("dt", "", name), element("dd", "", value)],
  );
}

/** @param {DelayPart[]} parts */
export function delayBar(parts) {
  return parts.map(({ kind, ms }) => {
    const segment = element("i", "");
    segment.dataset.part = kind;
    segment.style.setProperty("flex-grow", String(Math.max(ms, 0.5)));
    return segment;
  });
}

/**
 * The bar of a tile, whose figures are its text alternative; anew only where one has changed. One part alone has no bar.
 *
 * @param {HTMLElement} line
 * @param {DelayPart[]} parts
 */
export function delayLine(line, parts) {
  const words = parts.length > 1 ? inWords(parts) : "";
  line.hidden = words === "";
  if (line.title === words) return;
  line.title = words;
  line.setAttribute("aria-label", `Delay: ${words}`);
  line.replaceChildren(...delayBar(parts));
}

/** @param {DelayPart[]} parts */
export function delayRows(parts) {
  return parts.flatMap(({ name, kind, ms }) => {
    const term = element("dt", "", name);
    term.dataset.part = kind;
    return [term, element("dd", "", duration(ms))];
  });
}
