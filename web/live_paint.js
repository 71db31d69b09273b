// @ts-check
// A live picture and its boxes, painted together and at the screen's own resolution: lines and words are as wide on every
// screen, however small the tile or close the look. Without a page: it also runs where pictures are decoded.

import { colorOf } from "./class_color.js";
import { LabelPlaces } from "./label_places.js";

/** @typedef {import("./label_places.js").Area} Area */
/** @typedef {import("./recorded_boxes.js").Box} Box */
/** @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Context */
/**
 * @typedef {object} Drawn how boxes are drawn
 * @property {boolean} boxes
 * @property {boolean} labels
 * @property {boolean} scores
 * @property {boolean} ids
 * @property {boolean} bold
 * @property {string[]} hidden labels of classes that are not drawn
 * @property {number} least score of what is drawn
 * @property {string[]} findings labels of what is drawn last, and whose words come first
 * @property {Record<string, string>} colors of the page: "1" and so on of the classes, "ink", "halo", "screen"
 */
/** @typedef {{ box: Box, area: Area, finding: boolean, words: string }} Item */

const FONT = "system-ui, sans-serif";
/** Of words, the screen's own units: in tiles narrower than that they are smaller. */
const NARROW = 420;
const TEXT = { narrow: 11, wide: 13 };
/** Widths of words that are remembered. */
const MOST_WORDS = 500;

export class LivePaint {
  /** @type {Drawn} */
  drawn = {
    boxes: true,
    labels: true,
    scores: true,
    ids: false,
    bold: false,
    hidden: [],
    least: 0,
    findings: [],
    colors: {},
  };
  /** Pixels of the canvas for one of the screen's units. */
  density = 1;
  #places = new LabelPlaces();
  /** @type {Map<string, number>} */
  #widths = new Map();

  /**
   * @param {Context} context
   * @param {CanvasImageSource} image
   * @param {Area} place where the picture lies on the canvas
   * @param {Box[]} boxes edges: of the picture, 0..1
   * @param {boolean} predicted whether the model has not looked at this picture
   */
  paint(context, image, place, boxes, predicted) {
    const { width, height } = context.canvas;
    if (place.width < width || place.height < height) {
      context.fillStyle = this.#color("screen");
      context.fillRect(0, 0, width, height);
    }
    context.drawImage(image, place.x, place.y, place.width, place.height);
    if (!this.drawn.boxes) return;
    const seen = overlapOf(place, { x: 0, y: 0, width, height });
    const items = this.#items(boxes, place, seen);
    context.save();
    context.beginPath();
    context.rect(seen.x, seen.y, seen.width, seen.height);
    context.clip(); // what moved out of the picture is not drawn beside it
    for (const item of items) this.#frame(context, item, predicted);
    if (this.drawn.labels) this.#label(context, items.reverse(), seen); // the last drawn has the first choice of places
    context.restore();
  }

  /**
   * What is drawn, the most important last.
   *
   * @param {Box[]} boxes
   * @param {Area} place
   * @param {Area} seen
   * @returns {Item[]}
   */
  #items(boxes, place, seen) {
    const { hidden, least, findings } = this.drawn;
    return boxes
      .filter(({ label, score }) => score >= least && !hidden.includes(label))
      .map((box) => {
        const [x0, y0, x1, y1] = box.edges;
        const [x, y] = [Math.round(place.x + x0 * place.width), Math.round(place.y + y0 * place.height)];
        const [right, bottom] = [place.x + x1 * place.width, place.y + y1 * place.height];
        const area = { x, y, width: Math.round(right) - x, height: Math.round(bottom) - y };
        return { box, area, finding: findings.includes(box.label), words: this.#words(box) };
      })
      .filter(({ area }) => overlapOf(area, seen).width > 0 && overlapOf(area, seen).height > 0)
      .sort((a, b) => Number(a.finding) - Number(b.finding) || a.box.score - b.box.score);
  }

  /** @param {Box} box */
  #words({ label, score, tracker_id }) {
    const { scores, ids } = this.drawn;
    return [label, ids && tracker_id ? `#${tracker_id}` : "", scores ? score.toFixed(2) : ""].filter(Boolean).join(" ");
  }

  /**
   * A coloured line on a dark one: seen on snow and at night. Where the model has not looked, it is dashed.
   *
   * @param {Context} context
   * @param {Item} item
   * @param {boolean} predicted
   */
  #frame(context, { box, area, finding }, predicted) {
    const line = Math.max(1, Math.round(this.density * (this.drawn.bold ? 3.5 : finding ? 2.5 : 2)));
    const edge = Math.max(1, Math.round(this.density * (this.drawn.bold ? 1.5 : 1)));
    const shift = line % 2 ? 0.5 : 0; // else lines of an odd width are spread over one pixel more, and pale
    const dash = predicted ? [5 * line, 3 * line] : [];
    for (const [color, width] of /** @type {[string, number][]} */ ([
      ["halo", line + 2 * edge],
      [colorOf(box.class_id), line],
    ])) {
      context.setLineDash(dash);
      context.strokeStyle = this.#color(color);
      context.lineWidth = width;
      context.strokeRect(area.x + shift, area.y + shift, area.width, area.height);
    }
    context.setLineDash([]);
  }

  /**
   * Dark words on the colour of the class.
   *
   * @param {Context} context
   * @param {Item[]} items
   * @param {Area} seen
   */
  #label(context, items, seen) {
    const narrow = context.canvas.width < NARROW * this.density;
    const text = Math.round(this.density * ((narrow ? TEXT.narrow : TEXT.wide) + (this.drawn.bold ? 2 : 0)));
    const [row, side] = [Math.round(text * 1.4), Math.round(text * 0.4)];
    context.font = `600 ${text}px ${FONT}`;
    context.textBaseline = "middle";
    const labelled = items.map(({ box, area, words }) => ({
      box: area,
      size: { width: this.#width(context, words) + 2 * side, height: row },
      id: box.tracker_id,
    }));
    this.#places.of(labelled, seen).forEach((place, at) => {
      const item = items[at];
      if (!place || !item) return;
      context.fillStyle = this.#color(colorOf(item.box.class_id));
      context.fillRect(place.x, place.y, place.width, place.height);
      context.fillStyle = this.#color("ink");
      context.fillText(item.words, place.x + side, place.y + row / 2 + 1);
    });
  }

  /**
   * @param {Context} context
   * @param {string} words
   */
  #width(context, words) {
    const key = `${context.font} ${words}`;
    const known = this.#widths.get(key) ?? Math.ceil(context.measureText(words).width);
    if (this.#widths.size >= MOST_WORDS) this.#widths.clear();
    this.#widths.set(key, known);
    return known;
  }

  /** @param {string} name */
  #color(name) {
    return this.drawn.colors[name] ?? "";
  }
}

/**
 * @param {Area} a
 * @param {Area} b
 * @returns {Area} what lies in both; nothing has no width or height
 */
function overlapOf(a, b) {
  const [x, y] = [Math.max(a.x, b.x), Math.max(a.y, b.y)];
  const [right, bottom] = [Math.min(a.x + a.width, b.x + b.width), Math.min(a.y + a.height, b.y + b.height)];
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}
