// @ts-check
// Where the words of boxes stand: beside the things they are about, and not over one another where there is room. Pure.

/** @typedef {{ x: number, y: number, width: number, height: number }} Area pixels of the screen */
/**
 * @typedef {object} Labelled in the order in which places are given out
 * @property {Area} box
 * @property {{ width: number, height: number }} size of its words
 * @property {number} id by which it is known again; 0 for what nobody follows
 */

/** A place that words have is kept unless another covers so much less of the things, a part of the words. */
const WORTH_MOVING = 0.25;
/** What words may cover of others, a part of themselves. */
const CROWDED = 0.3;

export class LabelPlaces {
  /** Which of the places each had last.
   * @type {Map<number, number>}
   */
  #last = new Map();

  /**
   * @param {Labelled[]} all
   * @param {Area} room none stands outside
   * @returns {(Area | null)[]} of the words of each; null where they could only be read instead of others
   */
  of(all, room) {
    /** @type {(Area | null)[]} */
    const places = [];
    /** @type {Area[]} */
    const taken = [];
    /** @type {Map<number, number>} */
    const now = new Map();
    for (const labelled of all) {
      const [place, at] = this.#best(labelled, all, taken, room);
      const isCrowded = taken.some((other) => overlap(place, other) > CROWDED * place.width * place.height);
      places.push(isCrowded ? null : place);
      if (!isCrowded) taken.push(place);
      if (labelled.id) now.set(labelled.id, at);
    }
    this.#last = now;
    return places;
  }

  /**
   * @param {Labelled} labelled
   * @param {Labelled[]} all
   * @param {Area[]} taken
   * @param {Area} room
   * @returns {[Area, number]}
   */
  #best(labelled, all, taken, room) {
    const last = this.#last.get(labelled.id);
    const words = labelled.size.width * labelled.size.height || 1;
    let [best, least, chosen] = [inside(around(labelled)[0] ?? labelled.box, room), Infinity, 0];
    around(labelled).forEach((wish, at) => {
      const place = inside(wish, room);
      // On other words nothing can be read; moved away from its wish it may stand anywhere; on things it hides them.
      const moved = place.x === wish.x && place.y === wish.y ? 0 : 2 * words;
      const unread = taken.reduce((sum, other) => sum + overlap(place, other), 0) * 20;
      const hidden = all.reduce((sum, { box }) => sum + overlap(place, box), 0);
      const cost = (unread + hidden + moved) / words + at * 0.02 - (at === last ? WORTH_MOVING : 0);
      if (cost < least) [best, least, chosen] = [place, cost, at];
    });
    return [best, chosen];
  }
}

/**
 * The places there are, the best ones first: above, below, beside, and within at the upper and the lower edge.
 *
 * @param {Labelled} labelled
 * @returns {Area[]}
 */
function around({ box, size }) {
  const { width, height } = size;
  const [left, right] = [box.x, box.x + box.width - width];
  const [above, below] = [box.y - height, box.y + box.height];
  const [before, behind] = [box.x - width, box.x + box.width];
  return [
    [left, above], [right, above], [left, below], [right, below], [behind, box.y], [before, box.y],
    [behind, below - height], [before, below - height], [left, box.y], [left, below - height],
  ].map(([x = 0, y = 0]) => ({ x, y, width, height })); // prettier-ignore
}

/**
 * @param {Area} area
 * @param {Area} room
 * @returns {Area}
 */
function inside(area, room) {
  return {
    ...area,
    x: Math.max(room.x, Math.min(area.x, room.x + room.width - area.width)),
    y: Math.max(room.y, Math.min(area.y, room.y + room.height - area.height)),
  };
}

/**
 * @param {Area} a
 * @param {Area} b
 * @returns {number} pixels that both cover
 */
export function overlap(a, b) {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return across > 0 && down > 0 ? across * down : 0;
}
