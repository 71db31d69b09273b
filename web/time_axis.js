// @ts-check
// A stretch of time as wide as the window is: where a moment lies, what is zoomed to, and which moments are named. Pure.

/** @typedef {readonly [from: number, to: number]} Stretch seconds since 1970 */
/** @typedef {{ at: number, text: string, isMain: boolean }} Tick text is "" for one without */

/** The least that is zoomed to, seconds: some pictures can be told apart in it. */
export const LEAST_S = 10;
/** CSS pixels between two ticks that are named. */
const APART = 76;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
/** How many small ticks stand between two named ones. */
const PARTS = new Map([
  [1, 5],
  [2, 4],
  [15, 3],
  [30, 3],
  [900, 3],
  [1800, 3],
  [7200, 4],
  [10_800, 3],
  [21_600, 6],
  [43_200, 6],
  [86_400, 8],
]);

/** Round what there is this much is shown on each side of it. */
const AROUND = 0.08;
const AROUND_S = 120;

/**
 * The part of a day that is worth opening with: that of which there is something, or where that is most of it, all.
 *
 * @param {{ from: number, to: number }[]} spans of which there is something
 * @param {Stretch} whole
 * @returns {Stretch}
 */
export function worth(spans, whole) {
  const [first, last] = [Math.min(...spans.map(({ from }) => from)), Math.max(...spans.map(({ to }) => to))];
  if (!(last > first) || last - first > (whole[1] - whole[0]) / 2) return whole;
  const around = Math.max(AROUND_S, (last - first) * AROUND);
  return [Math.max(whole[0], first - around), Math.min(whole[1], last + around)];
}

/**
 * The share of the way at which a moment lies; beyond 0..1 outside.
 *
 * @param {Stretch} stretch
 * @param {number} at
 */
export function shareOf([from, to], at) {
  return (at - from) / (to - from);
}

/**
 * @param {Stretch} stretch
 * @param {number} share
 */
export function momentAt([from, to], share) {
  return from + share * (to - from);
}

/**
 * A stretch zoomed into or out of, around a moment that stays where it is.
 *
 * @param {Stretch} stretch
 * @param {number} by of 2 shows half as much
 * @param {number} around
 * @param {Stretch} whole more is never shown
 * @returns {Stretch}
 */
export function zoomed([from, to], by, around, whole) {
  const most = whole[1] - whole[0];
  const length = Math.min(Math.max((to - from) / by, Math.min(LEAST_S, most)), most);
  const begin = around - ((around - from) / (to - from)) * length;
  return within([begin, begin + length], whole);
}

/**
 * @param {Stretch} stretch
 * @param {number} by seconds
 * @param {Stretch} whole
 * @returns {Stretch}
 */
export function moved([from, to], by, whole) {
  return within([from + by, to + by], whole);
}

/**
 * Moved so far that a moment is seen, some way from the edge; as it is where it is seen already.
 *
 * @param {Stretch} stretch
 * @param {number} at
 * @param {Stretch} whole
 * @returns {Stretch}
 */
export function showing(stretch, at, whole) {
  const share = shareOf(stretch, at);
  if (share >= 0 && share <= 1) return stretch;
  return moved(stretch, at - momentAt(stretch, 0.1), whole);
}

/**
 * @param {Stretch} stretch
 * @param {Stretch} whole
 * @returns {Stretch}
 */
function within([from, to], [first, last]) {
  const begin = Math.min(Math.max(from, first), Math.max(first, last - (to - from)));
  return [begin, Math.min(begin + (to - from), last)];
}

/**
 * What two fingers have done to a stretch: what each is on stays under it.
 *
 * @param {Stretch} stretch as it was when they came down
 * @param {[number, number]} were where they came down, as shares
 * @param {[number, number]} are where they are
 * @param {Stretch} whole
 * @returns {Stretch}
 */
export function pinched(stretch, were, are, whole) {
  const least = 0.02; // two fingers on one spot would zoom without end
  const by = Math.max(least, Math.abs(are[1] - are[0])) / Math.max(least, Math.abs(were[1] - were[0]));
  const held = momentAt(stretch, (were[0] + were[1]) / 2);
  const next = zoomed(stretch, by, held, whole);
  return moved(next, held - momentAt(next, (are[0] + are[1]) / 2), whole);
}

/**
 * The moments that are marked, at even times of the clock on the wall.
 *
 * @param {Stretch} stretch
 * @param {number} width CSS pixels
 * @returns {Tick[]}
 */
export function ticks([from, to], width) {
  if (!(width > 0) || !(to > from)) return [];
  const least = ((to - from) * APART) / width;
  const step = STEPS_S.find((each) => each >= least) ?? 86_400;
  const small = step / (PARTS.get(step) ?? 5);
  /** @type {Tick[]} */
  const found = [];
  for (let at = from - ((((from + zoneOf(from)) % small) + small) % small); at <= to; at += small) {
    if (at < from) continue;
    const local = Math.round((at + zoneOf(at)) * 1000) / 1000;
    const isMain = Math.abs(local / step - Math.round(local / step)) < 1e-6;
    found.push({ at, text: isMain ? clockAt(at, step < 60) : "", isMain });
  }
  return found;
}

/** Seconds by which the clock on the wall is before UTC.
 * @param {number} at
 */
function zoneOf(at) {
  return -60 * new Date(at * 1000).getTimezoneOffset();
}

/**
 * @param {number} at seconds since 1970
 * @param {boolean} exactly with its seconds
 */
export function clockAt(at, exactly) {
  const date = new Date(Math.round(at * 1000));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return exactly ? `${minutes}:${two(date.getSeconds())}` : minutes;
}
