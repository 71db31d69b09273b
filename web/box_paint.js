// @ts-check
// Boxes drawn on a picture as streamer/view/annotator.py draws them on live video: same edges, lines and words.

import { colorOf } from "./class_color.js";

/** @typedef {import("./recorded_boxes.js").Box} Box */
/** @typedef {{ x: number, y: number, width: number, height: number }} Place of the picture on the canvas, its pixels */
/**
 * @typedef {object} Measures of lines and words, pixels of the picture
 * @property {number} unit
 * @property {number} line
 * @property {number} text
 * @property {number} row
 * @property {number} middle of a line, from the edge of its pixel
 */

/**
 * What boxes look like on a picture of some height: a box must be seen on a phone that shows 4K as well.
 *
 * @param {number} height of the picture, pixels
 */
export function measuresOf(height) {
  const unit = Math.max(1, Math.round(height / 480));
  const text = Math.max(12, Math.round(height / 38)) & ~1;
  return { unit, line: 2 * unit, text, row: Math.trunc(text * 1.5), middle: 0.5 };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Place} place
 * @param {{ width: number, height: number }} size of the picture that the boxes' edges are in, pixels
 * @param {Box[]} boxes
 * @param {{ of: (name: string) => string, font: string, measures?: Measures }} style values of the page's own properties;
 *   measures: as a picture of that height has them, where no others are given
 */
export function paintBoxes(context, place, size, boxes, { of, font, measures = measuresOf(size.height) }) {
  const { line, text, middle } = measures;
  context.save();
  context.beginPath();
  context.rect(place.x, place.y, place.width, place.height);
  context.clip(); // what moved out of the picture is not drawn beside it
  context.translate(place.x, place.y);
  context.scale(place.width / size.width, place.height / size.height);
  context.lineWidth = line;
  context.textBaseline = "middle";
  context.font = `600 ${text}px ${font}`;
  for (const box of [...boxes].sort((a, b) => a.score - b.score)) {
    const [x0, y0, x1, y1] = /** @type {Box["edges"]} */ (box.edges.map(Math.round));
    if (x1 < 0 || y1 < 0 || x0 >= size.width || y0 >= size.height) continue;
    const color = of(`--class-${colorOf(box.class_id)}`);
    context.strokeStyle = color;
    context.strokeRect(x0 + middle, y0 + middle, x1 - x0, y1 - y0);
    paintTag(context, size, [x0, y0], `${box.label} ${box.score.toFixed(2)}`, {
      color,
      ink: of("--on-class"),
      measures,
    });
  }
  context.restore();
}

/**
 * Dark words on a filled label above a box's upper left corner, or in it where there is no room.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {{ width: number, height: number }} size
 * @param {[x: number, y: number]} corner
 * @param {string} words
 * @param {{ color: string, ink: string, measures: Measures }} style
 */
function paintTag(context, size, [left, top], words, { color, ink, measures }) {
  const { unit, text, row } = measures;
  const width = context.measureText(words).width + text;
  const x = Math.min(Math.max(left - unit, 0), size.width - width);
  const y = Math.min(Math.max(top >= row ? top - row : top, 0), size.height - row);
  context.fillStyle = color;
  context.fillRect(x, y, width, row);
  context.fillStyle = ink;
  context.fillText(words, x + text / 2, y + row / 2 + unit / 2);
}

/**
 * Where a picture lies that is fitted into a room without being cut or stretched.
 *
 * @param {{ width: number, height: number }} picture
 * @param {{ width: number, height: number }} room
 * @returns {Place}
 */
export function fitted(picture, room) {
  const scale = Math.min(room.width / picture.width, room.height / picture.height) || 0;
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  return { x: Math.round((room.width - width) / 2), y: Math.round((room.height - height) / 2), width, height };
}
