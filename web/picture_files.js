// @ts-check
// What is saved of a picture that was looked at: itself with its boxes, as JPEG, and what was found, as JSON.

import { paintForGood, paintPicture } from "./picture_paint.js";

/** @typedef {import("./detecting.js").Detection} Detection */
/** @typedef {import("./picture_paint.js").Style} Style */
/** @typedef {import("./sent_picture.js").SentPicture} SentPicture */

const QUALITY = 0.92;

/**
 * @param {SentPicture} picture that was looked at
 * @param {Detection[]} found what is drawn of it
 * @param {Style} style
 * @throws {Error} where this browser cannot draw as many pixels
 */
export async function savePicture(picture, found, style) {
  const pixels = await picture.pixels(Infinity);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [pixels.size.width, pixels.size.height];
  const context = canvas.getContext("2d");
  if (context) {
    paintPicture(context, { x: 0, y: 0, ...pixels.size }, pixels, style);
    paintForGood(context, pixels.size, found, style);
  }
  pixels.bitmap.close();
  const file = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  [canvas.width, canvas.height] = [0, 0]; // some browsers hold on to its pixels otherwise
  if (!file) throw new Error("This browser cannot draw a picture as large as this.");
  save(file, `${stem(picture.name)}-boxes.jpg`);
}

/**
 * In the words of POST /api/detect.
 *
 * @param {SentPicture[]} pictures that were looked at
 * @param {(picture: SentPicture) => Detection[]} found what is told of each
 */
export function saveFound(pictures, found) {
  const [first] = pictures;
  if (!first?.answer) return;
  const { model, version, min_score } = first.answer;
  const told = pictures.map((each) => ({ ...each.looked, name: each.name, detections: found(each) }));
  const text = JSON.stringify({ model, version, min_score, pictures: told }, null, 2);
  const name = pictures.length === 1 ? stem(first.name) : "pictures";
  save(new Blob([text], { type: "application/json" }), `${name}.json`);
}

/** @param {string} name of a file */
function stem(name) {
  return name.replace(/\.\w{1,5}$/, "");
}

/**
 * @param {Blob} file
 * @param {string} name
 */
function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a phone asks first what is to be done with it
}
