// @ts-check
// A table that a narrow window shows as cards: each cell then says itself which column it is of.

import { element } from "./details.js";

/** @typedef {(string | Node)[]} Cell */

/**
 * @param {string} caption read out, and not seen
 * @param {string[]} columns "" for one of buttons
 */
export function table(caption, columns) {
  const head = element("tr", "", ...columns.map(heading));
  const body = element("tbody", "");
  const node = element("table", "list", element("thead", "", head), body);
  node.setAttribute("aria-label", caption);
  // Said once more, because styles that make cards of rows make them nobody's rows.
  node.setAttribute("role", "table");
  head.setAttribute("role", "row");
  return {
    node,
    /** @param {Cell[]} cells the first is what the row is called */
    row(cells) {
      const row = element("tr", "", ...cells.map((content, at) => cell(content, columns[at] ?? "", at === 0)));
      row.setAttribute("role", "row");
      body.append(row);
      return row;
    },
    clear() {
      body.replaceChildren();
    },
    get size() {
      return body.childElementCount;
    },
  };
}

/** @param {string} text */
function heading(text) {
  const node = element("th", "", text);
  node.setAttribute("scope", "col");
  node.setAttribute("role", "columnheader");
  return node;
}

/**
 * @param {Cell} content
 * @param {string} column
 * @param {boolean} first
 */
function cell(content, column, first) {
  const node = element(first ? "th" : "td", "", ...content);
  node.dataset.column = column;
  if (first) node.setAttribute("scope", "row");
  node.setAttribute("role", first ? "rowheader" : "cell");
  return node;
}
