// @ts-check
// How many columns show all tiles largest. Pure.

const PICTURE_RATIO = 16 / 9;
const MIN_TILE_WIDTH = 300;

/**
 * @param {object} space
 * @param {number} space.count tiles
 * @param {number} space.width of the area, CSS pixels
 * @param {number} space.height of the area, CSS pixels
 * @param {number} space.gap between tiles
 * @param {number} space.extra height of a tile besides its picture
 * @returns {{ columns: number, tileWidth: number }} tileWidth fits the height too, unless that made it tiny
 */
export function fitGrid({ count, width, height, gap, extra }) {
  let best = { columns: 1, tileWidth: 0 };
  for (let columns = 1; columns <= Math.max(count, 1); columns++) {
    const rows = Math.ceil(count / columns);
    const across = (width - gap * (columns - 1)) / columns;
    const down = ((height - gap * (rows - 1)) / rows - extra) * PICTURE_RATIO;
    const tileWidth = Math.floor(Math.min(across, down));
    if (tileWidth > best.tileWidth) best = { columns, tileWidth };
  }
  if (best.tileWidth >= Math.min(MIN_TILE_WIDTH, width)) return best;
  // Too many for one screen (or a phone): readable tiles, and the page scrolls.
  const columns = Math.max(1, Math.min(count, Math.floor((width + gap) / (MIN_TILE_WIDTH + gap))));
  return { columns, tileWidth: Math.floor((width - gap * (columns - 1)) / columns) };
}
