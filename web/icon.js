// @ts-check
// A sign of 16 × 16, drawn in lines, beside or in the place of a word.

const SVG = "http://www.w3.org/2000/svg";

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
