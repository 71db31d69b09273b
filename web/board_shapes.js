// @ts-check
// What is drawn on a board, as nodes of SVG: one of a shape, and of the chosen one its points, each to be focused.

import { edges, forward, middle, middleOf } from "./geometry.js";
import { called, most } from "./places.js";

/** @typedef {import("./drawing_board.js").Draft} Draft */
/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./places.js").Shape} Shape */
/** @typedef {{ width: number, height: number, aspect: number, editable: boolean }} Board CSS pixels */

const SVG = "http://www.w3.org/2000/svg";
/** CSS pixels. */
const ARROW = 34;
const HEAD = 8;
const GRIP = 20;
const DOT = 7;
const PLUS = 4;

/**
 * A shape's nodes by their keys, in the order of Tab; those that were there before are used again, and keep the focus.
 *
 * @param {Shape} shape
 * @param {boolean} chosen
 * @param {Board} board
 * @param {Map<string, SVGElement>} before
 * @returns {[string, SVGElement][]}
 */
export function shapeNode(shape, chosen, board, before) {
  const key = `s${shape.id}`;
  const body = before.get(key) ?? focusable(shape.id);
  body.setAttribute("class", `place ${shape.kind}`);
  body.toggleAttribute("data-chosen", chosen);
  body.setAttribute("aria-label", `${called(shape)}, ${shape.points.length} points`);
  body.setAttribute("aria-pressed", String(chosen));
  body.replaceChildren(...bodyOf(shape, board));
  if (!chosen || !board.editable) return [[key, body]];
  return [[key, body], ...plusses(shape, board, before), ...points(shape, board, before)];
}

/** A shape that is only looked at.
 * @param {Shape} shape
 * @param {Board} board
 */
export function plain(shape, board) {
  const node = drawn("g", { class: `place ${shape.kind}` });
  node.append(...bodyOf(shape, board));
  return node;
}

/**
 * @param {Shape} shape
 * @param {Board} board
 */
function bodyOf(shape, board) {
  const line = shape.kind === "line";
  const outline = drawn(line ? "polyline" : "polygon", { points: list(shape.points, board), class: "outline" });
  const shade = drawn(line ? "polyline" : "polygon", { points: list(shape.points, board), class: "shade" });
  const reach = drawn("polyline", { points: list(shape.points, board), class: "reach" });
  const name = drawn("text", { class: "place-name" });
  const [x, y] = pixels(line ? (shape.points[0] ?? [0, 0]) : middle(shape.points), board);
  const [left, top] = line ? [x + 10, y - 10] : [x, y];
  name.setAttribute("x", String(Math.min(board.width - 12, Math.max(12, left))));
  name.setAttribute("y", String(Math.min(board.height - 8, Math.max(18, top))));
  name.setAttribute("text-anchor", line ? (x > board.width * 0.6 ? "end" : "start") : "middle");
  name.textContent = shape.name || (shape.kind === "mask" ? "ignored" : "");
  return line ? [reach, shade, outline, ...arrow(shape, board), name] : [shade, outline, name];
}

/** Which way is forward.
 * @param {Shape} shape
 * @param {Board} board
 */
function arrow({ points }, board) {
  const way = forward(points, board.aspect);
  const [x, y] = pixels(middle(points), board);
  const [tipX, tipY] = [x + way[0] * ARROW, y + way[1] * ARROW];
  const [backX, backY] = [tipX - way[0] * HEAD * 1.5, tipY - way[1] * HEAD * 1.5];
  const head = [
    [tipX, tipY],
    [backX - way[1] * HEAD, backY + way[0] * HEAD],
    [backX + way[1] * HEAD, backY - way[0] * HEAD],
  ];
  return [
    drawn("line", { x1: x, y1: y, x2: backX, y2: backY, class: "shaft" }),
    drawn("polygon", { points: head.map((each) => each.join()).join(" "), class: "arrow-head" }),
  ];
}

/**
 * @param {Shape} shape
 * @param {Board} board
 * @param {Map<string, SVGElement>} before
 * @returns {[string, SVGElement][]}
 */
function points(shape, board, before) {
  return shape.points.map((point, index) => {
    const key = `s${shape.id}p${index}`;
    const node = before.get(key) ?? focusable(shape.id);
    const [cx, cy] = pixels(point, board);
    node.setAttribute("class", `point ${shape.kind}`);
    node.setAttribute("data-point", String(index));
    node.setAttribute("aria-label", `Point ${index + 1} of ${shape.points.length}, ${signs.where(point)}`);
    node.setAttribute("aria-roledescription", "point");
    node.replaceChildren(
      drawn("circle", { cx, cy, r: GRIP, class: "grip" }),
      drawn("circle", { cx, cy, r: DOT, class: "dot" }),
    );
    return [key, node];
  });
}

/** In the middle of each edge, what becomes a point when it is pressed.
 * @param {Shape} shape
 * @param {Board} board
 * @param {Map<string, SVGElement>} before
 * @returns {[string, SVGElement][]}
 */
function plusses(shape, board, before) {
  if (shape.points.length >= most(shape.kind)) return [];
  return edges(shape.points, true).map((edge, index) => {
    const key = `s${shape.id}e${index}`;
    const node = before.get(key) ?? drawn("g", { "data-id": shape.id, class: `plus ${shape.kind}` });
    const [cx, cy] = pixels(middleOf(edge), board);
    node.setAttribute("data-edge", String(index));
    node.replaceChildren(
      drawn("circle", { cx, cy, r: GRIP * 0.7, class: "grip" }),
      drawn("circle", { cx, cy, r: PLUS, class: "dot" }),
    );
    return [key, node];
  });
}

export const signs = {
  /** Where a point is, in words.
   * @param {Point} point
   */
  where([x, y]) {
    return `${Math.round(x * 100)} % from the left, ${Math.round(y * 100)} % from the top`;
  },

  /**
   * @param {Draft} draft
   * @param {Board} board
   * @param {SVGElement | undefined} before
   */
  draft({ kind, points, at }, board, before) {
    const node = before ?? drawn("g", {});
    node.setAttribute("class", `draft ${kind}`);
    const way = at ? [...points, at] : points;
    const dots = points.map((point) => {
      const [cx, cy] = pixels(point, board);
      return drawn("circle", { cx, cy, r: DOT, class: "dot" });
    });
    node.replaceChildren(drawn("polyline", { points: list(way, board), class: "outline" }), ...dots);
    return node;
  },
};

/** @param {number} id */
function focusable(id) {
  return drawn("g", { "data-id": id, tabindex: 0, role: "button" });
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function drawn(tag, attributes) {
  const node = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}

/**
 * @param {Point[]} points
 * @param {Board} board
 */
function list(points, board) {
  return points.map((point) => pixels(point, board).join()).join(" ");
}

/**
 * @param {Point} point
 * @param {Board} board
 * @returns {Point}
 */
function pixels([x, y], { width, height }) {
  return [Math.round(x * width * 10) / 10, Math.round(y * height * 10) / 10];
}
