// @ts-check
// Points, polygons and directed lines in a picture, as shares of its width and height; y grows downwards. Pure.

/** @typedef {[x: number, y: number]} Point */
/** @typedef {{ index: number, point: Point, distance: number }} OnEdge an edge begins at the point of its index */

const DECIMALS = 1e4;

/** Within the picture, and no finer than a pixel of 8K.
 * @param {Point} point
 * @returns {Point}
 */
export function within([x, y]) {
  return [share(x), share(y)];
}

/** @param {number} value */
function share(value) {
  return Number.isFinite(value) ? Math.round(Math.min(1, Math.max(0, value)) * DECIMALS) / DECIMALS : 0;
}

/**
 * Moved as far as the picture reaches, all by the same.
 *
 * @param {Point[]} points
 * @param {number} dx
 * @param {number} dy
 */
export function shifted(points, dx, dy) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const right = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const down = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return points.map(([x, y]) => within([x + right, y + down]));
}

/**
 * The edges of a polygon, or of a line.
 *
 * @param {Point[]} points
 * @param {boolean} closed whether the last one leads to the first
 * @returns {[Point, Point][]}
 */
export function edges(points, closed) {
  const [first] = points;
  const ends = closed && first ? [...points.slice(1), first] : points.slice(1);
  return ends.map((end, index) => [/** @type {Point} */ (points[index]), end]);
}

/** @param {[Point, Point]} edge
 * @returns {Point}
 */
export function middleOf([[x1, y1], [x2, y2]]) {
  return within([(x1 + x2) / 2, (y1 + y2) / 2]);
}

/**
 * Where on its edges a shape is nearest to a point.
 *
 * @param {Point[]} points
 * @param {boolean} closed
 * @param {Point} at
 * @param {number} aspect height of the picture by its width
 * @returns {OnEdge | null} null where there is no edge; the distance is a share of the picture's width
 */
export function nearest(points, closed, at, aspect) {
  /** @type {OnEdge | null} */
  let best = null;
  edges(points, closed).forEach(([[x1, y1], [x2, y2]], index) => {
    const [dx, dy] = [x2 - x1, (y2 - y1) * aspect];
    const length = dx * dx + dy * dy;
    const along = ((at[0] - x1) * dx + (at[1] - y1) * aspect * dy) / (length || 1);
    const part = Math.min(1, Math.max(0, along));
    const point = /** @type {Point} */ ([x1 + part * (x2 - x1), y1 + part * (y2 - y1)]);
    const distance = Math.hypot(at[0] - point[0], (at[1] - point[1]) * aspect);
    if (!best || distance < best.distance) best = { index, point: within(point), distance };
  });
  return best;
}

/** Whether two edges of a polygon cross, other than where they meet.
 * @param {Point[]} points
 */
export function crossesItself(points) {
  const all = edges(points, true);
  return all.some((one, index) =>
    all.some((other, later) => {
      const apart = later > index + 1 && !(index === 0 && later === all.length - 1);
      return apart && cross(one, other);
    }),
  );
}

/**
 * @param {[Point, Point]} one
 * @param {[Point, Point]} other
 */
function cross([a, b], [c, d]) {
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

/**
 * Above 0 to the right, looking from the one to the other; below 0 to the left.
 *
 * @param {Point} from
 * @param {Point} to
 * @param {Point} point
 */
export function side([x1, y1], [x2, y2], [x, y]) {
  return (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1);
}

/**
 * Where a thing goes that goes over a line forward: from its left to its right.
 *
 * @param {Point[]} line
 * @param {number} aspect height of the picture by its width
 * @returns {Point} of length 1 in shares of the width both ways; [0, 0] of a line without length
 */
export function forward([from = [0, 0], to = [0, 0]], aspect) {
  const [dx, dy] = [to[0] - from[0], (to[1] - from[1]) * aspect];
  const length = Math.hypot(dx, dy);
  return length === 0 ? [0, 0] : [-dy / length, dx / length];
}

/** Such a way in words.
 * @param {Point} way
 */
export function wayInWords([x, y]) {
  if (x === 0 && y === 0) return "nowhere";
  if (Math.abs(x) > Math.abs(y)) return x > 0 ? "to the right" : "to the left";
  return y > 0 ? "downwards" : "upwards";
}

/** Where a name stands: the middle of all points.
 * @param {Point[]} points
 * @returns {Point}
 */
export function middle(points) {
  const count = points.length || 1;
  return [points.reduce((sum, [x]) => sum + x, 0) / count, points.reduce((sum, [, y]) => sum + y, 0) / count];
}
