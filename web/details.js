// @ts-check
// The figures of one stream as DOM nodes. All text from the server goes through textContent.

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./sightings.js").Seen} Seen */
/** @typedef {import("./sightings.js").Sighting} Sighting */
/** @typedef {import("./stats.js").Measurement} Measurement */
/** @typedef {{ name: string, ms: number, kind: string }} DelayPart */

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

/** @param {number} ms */
export function duration(ms) {
  if (ms < 9950) return ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** @param {number} value */
function percent(value) {
  return `${Math.round(value * 100)} %`;
}

/** @param {Seen[]} seen */
export function chips(seen) {
  return seen.map(({ label, finding, count }) =>
    element("li", finding ? "chip finding" : "chip", element("span", "", label), element("b", "", String(count))),
  );
}

/** @param {Seen[]} seen */
export function seenRows(seen) {
  if (seen.length === 0) return [element("li", "none", "Nothing right now")];
  return seen.map(({ label, finding, count, best }) => {
    const row = element("li", finding ? "finding" : "");
    const score = element("span", "score", `best ${percent(best)}`);
    row.append(element("b", "", String(count)), element("span", "label", label), score);
    return row;
  });
}

/** @param {Sighting[]} list */
export function sightingRows(list) {
  if (list.length === 0) return [element("li", "none", "None since this page was opened")];
  return list.map((sighting) => {
    const { label, finding, since, until, most, best, over } = sighting;
    const when = new Date(since).toLocaleTimeString([], { hour12: false });
    const length = over ? `for ${duration(Math.max(until - since, 1000))}` : "in view";
    const row = element("li", finding ? "finding" : "");
    row.append(
      element("time", "", when),
      element("span", "label", most > 1 ? `${label} ×${most}` : label),
      element("span", over ? "" : "open", length),
      element("span", "score", percent(best)),
    );
    return row;
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
    const segment = element("i", kind);
    segment.style.setProperty("flex-grow", String(Math.max(ms, 0.5)));
    return segment;
  });
}

/** @param {DelayPart[]} parts */
export function delayRows(parts) {
  return parts.flatMap(({ name, kind, ms }) => [element("dt", kind, name), element("dd", "", duration(ms))]);
}
