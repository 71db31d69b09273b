// @ts-check
// A sign of 16 × 16, drawn in lines, beside or in the place of a word.

const SVG = "http://www.w3.org/2000/svg";

/** Of alerts; struck out, of silences. */
export const BELL = "M3 12h10c-1.2-1-1.5-2.4-1.5-5a3.5 3.5 0 0 0-7 0c0 2.6-.3 4-1.5 5M6.8 14h2.4";

/** @param {string} path as an SVG path has it */
export function icon(path) {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("viewBox", "0 0 16 16");
  node.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  node.append(line);
  return node;
}
