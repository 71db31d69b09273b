// @ts-check
// What has changed about the streams, for those who listen to the page. Pure.

/** @typedef {import("./feed.js").Stream} Stream */

const ORDER = ["live", "stale", "connecting", "moving", "offline", "paused", "gone"];
/** More news than these at once are counted, or a screen reader would not come to an end. */
const TOLD_ONE_BY_ONE = 3;

/**
 * @param {{ state: string }[]} streams
 * @returns {[string, number][]} those states that occur, the good ones first
 */
export function countStates(streams) {
  return ORDER.map(
    (state) => /** @type {[string, number]} */ ([state, streams.filter((each) => each.state === state).length]),
  ).filter(([, count]) => count > 0);
}

export class News {
  /** @type {Map<string, string>} the state last told of each stream */
  #told = new Map();

  /**
   * @param {Stream[]} streams all there are
   * @returns {string} sentences; "" where nothing has changed. A stream that is new is seen, and not told
   */
  of(streams) {
    const there = new Set(streams.map(({ name }) => name));
    const gone = [...this.#told.keys()].filter((name) => !there.has(name));
    const changed = streams.filter(({ name, state }) => (this.#told.get(name) ?? state) !== state);
    gone.forEach((name) => this.#told.delete(name));
    streams.forEach(({ name, state }) => this.#told.set(name, state));
    return tell([...changed, ...gone.map((name) => ({ name, state: "gone", reason: null }))]);
  }
}

/** @param {{ name: string, state: string, reason?: string | null }[]} news */
function tell(news) {
  if (news.length <= TOLD_ONE_BY_ONE)
    return news.map(({ name, state, reason }) => `${name}: ${state}.${reason ? ` ${reason}` : ""}`).join(" ");
  return countStates(news)
    .map(([state, count]) => `${count} ${count === 1 ? "stream" : "streams"} ${state}.`)
    .join(" ");
}
