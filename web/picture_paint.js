// @ts-check
// A picture that somebody gave, painted upright, with boxes as the page draws them everywhere.

import { measuresOf, paintBoxes } from "./box_paint.js";
import { turn, liesOnItsSide } from "./plain_picture.js";

/** @typedef {import("./box_paint.js").Place} Place */
/** @typedef {import("./detecting.js").Detection} Detection */
/** @typedef {import("./recorded_boxes.js").Box} Box */
/** @typedef {import("./sent_picture.js").Pixels} Pixels */
/** @typedef {{ of: (name: string) => string, font: string }} Style */

/** Of boxes while one of them is pointed at. */
const PALE = 0.3;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Place} place
 * @param {Pixels} pixels
 * @param {Style} style
 */
export function paintPicture(context, place, { bitmap, orientation, size }, { of }) {
  const { width, height } = size;
  context.save();
  context.fillStyle = of("--paper"); // what is see-through is white to the model
  context.fillRect(place.x, place.y, place.width, place.height);
  context.imageSmoothingQuality = "high";
  context.translate(place.x, place.y);
  context.scale(place.width / width, place.height / height);
  context.transform(...turn(orientation, size));
  if (liesOnItsSide(orientation)) context.drawImage(bitmap, 0, 0, height, width);
  else context.drawImage(bitmap, 0, 0, width, height);
  context.restore();
}

/**
 * Boxes in the screen's own pixels: lines of whole ones, words as large as the page's.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Place} place
 * @param {{ width: number, height: number }} size
 * @param {{ found: Detection[], pointed: Detection | null, ratio: number }} what pointed: alone in full colour; ratio:
 *   pixels of the canvas to one of the page
 * @param {Style} style
 */
export function paintFound(context, place, size, { found, pointed, ratio }, style) {
  const [across, down] = [place.width / size.width, place.height / size.height];
  const shown = { width: place.width, height: place.height };
  const unit = Math.max(1, Math.round(ratio));
  const measures = { unit, line: 2 * unit, text: Math.round(12 * ratio), row: Math.round(18 * ratio), middle: 0 };
  /** @param {Detection[]} these */
  const paint = (these) => {
    const boxes = these.map((each) => boxOf(each, across, down));
    paintBoxes(context, place, shown, boxes, { ...style, measures });
  };
  context.save();
  if (pointed) context.globalAlpha = PALE;
  paint(found.filter((each) => each !== pointed));
  context.restore();
  if (pointed) paint([pointed]);
}

/**
 * Boxes in the picture's own pixels, for a file of it.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {{ width: number, height: number }} size
 * @param {Detection[]} found
 * @param {Style} style
 */
export function paintForGood(context, size, found, style) {
  const boxes = found.map((each) => boxOf(each, 1, 1));
  paintBoxes(context, { x: 0, y: 0, ...size }, size, boxes, { ...style, measures: measuresOf(size.height) });
}

/**
 * @param {Detection} detection
 * @param {number} across
 * @param {number} down
 * @returns {Box}
 */
function boxOf({ box, label, class_id, score }, across, down) {
  const [x0, y0, x1, y1] = box;
  return { edges: [x0 * across, y0 * down, x1 * across, y1 * down], label, class_id, score, tracker_id: 0 };
}
