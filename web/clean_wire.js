// @ts-check
// What the server says beside and with a camera's own pictures: docs/api.md, "Clean video". Pure.

/** @typedef {import("./avc.js").Bytes} Bytes */
/** @typedef {import("./recorded_boxes.js").Box} Box edges: of the picture, 0..1 */
/**
 * @typedef {object} Form how the pictures are made that come from now on
 * @property {"form"} type
 * @property {boolean} offered whether there are any
 * @property {string | null} why not, a sentence
 * @property {string} codec as browsers want it named
 * @property {number} width
 * @property {number} height
 * @property {number | null} frame_rate
 * @property {number} reorder pictures that may come before one that is shown earlier
 * @property {number} opening
 * @property {"large" | "small"} [size] which of the camera's videos it is; an older server has one alone
 */
/**
 * @typedef {object} Picture
 * @property {"picture"} type
 * @property {boolean} key whether it can be decoded without those before it
 * @property {number} opening
 * @property {number} time microseconds; with its opening, what it is known by
 * @property {number} received when it came to the server, milliseconds of the server's clock
 * @property {Bytes} data an access unit (Annex B)
 */
/** @typedef {{ type: "boxes", opening: number, time: number, exact: boolean, boxes: Box[] }} FrameAnswer */
/** @typedef {{ type: "hello", now: number, viewer?: string }} Hello now: seconds of the server's clock; viewer: what it calls this one */
/** @typedef {{ type: "sampled", opening: number, time: number }} Sampled */
/** @typedef {{ type: "group", pictures: number }} Group */
/** @typedef {{ type: "gap", pictures: number }} Gap */
/** @typedef {[number, string, number, number, number, number, number, number]} Row tracker id, label, class, score, edges */
/** @typedef {Hello | Form | Picture | FrameAnswer | Sampled | Group | Gap} CleanMessage */

const PICTURE = 1;
const KEY = 1;
const HEAD = 24;

/**
 * @param {string | ArrayBuffer} data of one message
 * @returns {CleanMessage | null} null for what this page does not know
 * @throws {Error} when it is not what the server sends
 */
export function read(data) {
  return typeof data === "string" ? readWords(JSON.parse(data)) : readPicture(data);
}

/** @param {ArrayBuffer} data */
function readPicture(data) {
  const view = new DataView(data);
  if (data.byteLength <= HEAD || view.getUint8(0) !== PICTURE) return null;
  return /** @type {Picture} */ ({
    type: "picture",
    key: (view.getUint8(1) & KEY) !== 0,
    opening: view.getUint32(4, true),
    time: view.getFloat64(8, true),
    received: 1000 * view.getFloat64(16, true),
    data: new Uint8Array(data, HEAD),
  });
}

/**
 * @param {CleanMessage | { type: "boxes", opening: number, time: number, exact: boolean, boxes: Row[] }} said
 * @returns {CleanMessage | null}
 */
function readWords(said) {
  if (said.type === "boxes") return { ...said, boxes: /** @type {Row[]} */ (said.boxes).map(boxOf) };
  return ["hello", "form", "group", "sampled", "gap"].includes(said.type) ? said : null;
}

/**
 * @param {Row} row
 * @returns {Box}
 */
function boxOf([tracker_id, label, class_id, score, ...edges]) {
  return { tracker_id, label, class_id, score, edges };
}
