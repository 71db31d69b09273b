// @ts-check
// The drawing of <recorded-line>: the scale, a row a stream, what is marked, and where one is.

import { colorOf } from "./class_color.js";
import { shareOf, ticks } from "./time_axis.js";

/** @typedef {import("./recorded_line.js").Row} Row */
/** @typedef {import("./time_axis.js").Stretch} Stretch */
/**
 * @typedef {object} Line
 * @property {Row[]} rows
 * @property {Stretch} seen
 * @property {number} at
 * @property {[number, number] | null} marked
 * @property {number | null} pointed where the pointer is
 * @property {number} until what is later has not come yet
 */
/** @typedef {{ context: CanvasRenderingContext2D, width: number, height: number, x: (at: number) => number, color: (name: string) => string }} Sheet */

/** CSS pixels. */
export const SCALE_HEIGHT = 26;
export const ROW_HEIGHT = 40;
const GAP = 3;
const LEAST_WIDTH = 2;
const MARKS_HEIGHT = 12;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Line} line
 */
export function drawLine(canvas, line) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  const context = canvas.getContext("2d");
  if (!context || width === 0) return;
  const style = getComputedStyle(canvas);
  const color = (/** @type {string} */ name) => style.getPropertyValue(name);
  const sheet = { context, width, height, x: (/** @type {number} */ at) => shareOf(line.seen, at) * width, color };
  context.scale(scale, scale);
  context.font = `12px ${style.fontFamily}`;
  drawScale(sheet, line.seen);
  line.rows.forEach((row, place) => {
    drawRow(sheet, row, SCALE_HEIGHT + place * ROW_HEIGHT, line.until);
    if (line.rows.length > 1) drawName(sheet, row.stream, SCALE_HEIGHT + place * ROW_HEIGHT);
  });
  drawMarked(sheet, line.marked);
  drawUpright(sheet, line.pointed, "--on-screen-dim", 1);
  drawPlace(sheet, line.at);
}

/**
 * @param {Sheet} sheet
 * @param {Stretch} seen
 */
function drawScale({ context, width, color, x }, seen) {
  context.textBaseline = "middle";
  context.textAlign = "center";
  for (const { at, text, isMain } of ticks(seen, width)) {
    const place = Math.round(x(at)) + 0.5;
    context.fillStyle = color("--line");
    context.fillRect(place - 0.5, SCALE_HEIGHT - (isMain ? 6 : 3), 1, isMain ? 6 : 3);
    const half = context.measureText(text).width / 2;
    context.fillStyle = color("--dim");
    if (place - half >= 0 && place + half <= width) context.fillText(text, place, SCALE_HEIGHT / 2 - 2);
  }
}

/**
 * @param {Sheet} sheet
 * @param {Row} row
 * @param {number} top
 * @param {number} until
 */
function drawRow({ context, width, color, x }, { spans, events }, top, until) {
  const height = ROW_HEIGHT - GAP;
  context.fillStyle = color("--screen");
  context.fillRect(0, top, Math.min(width, Math.max(0, x(until))), height);
  for (const { from, to, has_event } of spans) {
    const [begin, end] = [Math.max(0, x(from)), Math.min(width, x(to))];
    if (end < 0 || begin > width) continue;
    context.fillStyle = color(has_event ? "--recorded-event" : "--recorded");
    context.fillRect(begin, top, Math.max(1, end - begin), height);
  }
  for (const { began_at, last_at, class_id, reviewed } of events) {
    const [begin, end] = [x(began_at), x(last_at)];
    if (end < 0 || begin > width) continue;
    context.globalAlpha = reviewed === "false" ? 0.35 : 1;
    context.fillStyle = color(`--class-${colorOf(class_id)}`);
    context.fillRect(begin, top + height - MARKS_HEIGHT, Math.max(LEAST_WIDTH, end - begin), MARKS_HEIGHT);
  }
  context.globalAlpha = 1;
}

/**
 * @param {Sheet} sheet
 * @param {string} name
 * @param {number} top
 */
function drawName({ context, color }, name, top) {
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillStyle = color("--scrim");
  context.fillRect(0, top, context.measureText(name).width + 14, 20);
  context.fillStyle = color("--on-screen");
  context.fillText(name, 7, top + 4);
}

/**
 * @param {Sheet} sheet
 * @param {[number, number] | null} marked
 */
function drawMarked({ context, height, color, x }, marked) {
  if (!marked) return;
  const [begin, end] = [x(marked[0]), x(marked[1])];
  context.globalAlpha = 0.28;
  context.fillStyle = color("--focus");
  context.fillRect(begin, SCALE_HEIGHT, end - begin, height - SCALE_HEIGHT - GAP);
  context.globalAlpha = 1;
  for (const edge of [begin, end]) context.fillRect(edge - 1.5, SCALE_HEIGHT - 6, 3, height - SCALE_HEIGHT + 6 - GAP);
}

/**
 * @param {Sheet} sheet
 * @param {number | null} at
 * @param {string} name of its colour
 * @param {number} thick
 */
function drawUpright({ context, height, color, x }, at, name, thick) {
  if (at === null) return;
  context.fillStyle = color(name);
  context.fillRect(Math.round(x(at)) - thick / 2, SCALE_HEIGHT - 2, thick, height - SCALE_HEIGHT + 2 - GAP);
}

/**
 * @param {Sheet} sheet
 * @param {number} at
 */
function drawPlace(sheet, at) {
  const { context, color, x } = sheet;
  drawUpright(sheet, at, "--playhead", 2);
  const place = Math.round(x(at));
  context.fillStyle = color("--playhead");
  context.beginPath();
  context.moveTo(place - 7, SCALE_HEIGHT - 12);
  context.lineTo(place + 7, SCALE_HEIGHT - 12);
  context.lineTo(place, SCALE_HEIGHT - 1);
  context.fill();
}
