// @ts-check
// How far into a picture is looked, and where: by wheel, two fingers, keys, and a double click. Pure but for its listeners.

/** @typedef {import("./label_places.js").Area} Area */
/** @typedef {{ width: number, height: number }} Size */
/** @typedef {{ scale: number, x: number, y: number }} Look x, y: of the middle of what is seen, parts of the picture */

/** @type {Look} */
export const WHOLE = { scale: 1, x: 0.5, y: 0.5 };
const CLOSEST = 12;

/**
 * Where the picture lies then, most of it outside of the room.
 *
 * @param {Look} look
 * @param {Area} place where the whole picture lies
 * @param {Size} room
 * @returns {Area}
 */
export function placed({ scale, x, y }, place, room) {
  const [width, height] = [place.width * scale, place.height * scale];
  return {
    x: edge(room.width / 2 - x * width, width, room.width),
    y: edge(room.height / 2 - y * height, height, room.height),
    width,
    height,
  };
}

/** No emptiness beside a picture that is larger than its room; one that is not is in its middle.
 * @param {number} at
 * @param {number} length
 * @param {number} room
 */
function edge(at, length, room) {
  return length <= room ? (room - length) / 2 : Math.min(0, Math.max(at, room - length));
}

/**
 * Closer, so that what is under a point stays there.
 *
 * @param {Look} look
 * @param {number} factor
 * @param {{ x: number, y: number }} point of the room
 * @param {Area} place where the whole picture lies
 * @param {Size} room
 * @returns {Look}
 */
export function closer(look, factor, point, place, room) {
  const scale = Math.min(CLOSEST, Math.max(1, look.scale * factor));
  if (scale === 1) return WHOLE;
  const now = placed(look, place, room);
  const [u, v] = [(point.x - now.x) / now.width, (point.y - now.y) / now.height];
  const [width, height] = [place.width * scale, place.height * scale];
  const x = edge(point.x - u * width, width, room.width);
  const y = edge(point.y - v * height, height, room.height);
  return { scale, x: (room.width / 2 - x) / width, y: (room.height / 2 - y) / height };
}

/**
 * @param {Look} look
 * @param {{ x: number, y: number }} by pixels of the room that the picture moves
 * @param {Area} place where the whole picture lies
 * @param {Size} room
 * @returns {Look}
 */
export function moved(look, by, place, room) {
  const now = placed(look, place, room);
  const x = edge(now.x + by.x, now.width, room.width);
  const y = edge(now.y + by.y, now.height, room.height);
  return { scale: look.scale, x: (room.width / 2 - x) / now.width, y: (room.height / 2 - y) / now.height };
}
