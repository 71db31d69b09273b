// @ts-check
// Zones, lines and masks as the configuration file has them below a stream's name: docs/sightline.yaml. Pure.

/** @typedef {import("./places.js").Places} Places */
/** @typedef {import("./places.js").Place} Place */

/** What stands as it is: no number, no word that means something else in YAML. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

/**
 * @param {Places} places
 * @returns {string} lines, each below the stream's name by four spaces; "" where nothing is drawn
 */
export function yamlOf({ zones, lines, masks }) {
  const rows = [...section("zones", zones), ...section("lines", lines)];
  if (masks.length > 0) rows.push(`masks: ${list(masks)}`);
  return rows.map((row) => `    ${row}\n`).join("");
}

/**
 * @param {string} key
 * @param {Record<string, Place>} places
 */
function section(key, places) {
  const rows = Object.entries(places).flatMap(([name, place]) => [
    `  ${text(name)}:`,
    ...Object.entries(place).map(([setting, value]) => `    ${setting}: ${list(value)}`),
  ]);
  return rows.length > 0 ? [`${key}:`, ...rows] : [];
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function list(value) {
  if (Array.isArray(value)) return `[${value.map(list).join(", ")}]`;
  return typeof value === "string" ? text(value) : String(value);
}

/** @param {string} value */
function text(value) {
  return PLAIN.test(value) && !WORDS.test(value) ? value : JSON.stringify(value);
}
