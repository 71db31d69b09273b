// @ts-check
// The server's clock as the page can know it: by asking what it shows, and how long the answer took. Pure.

/**
 * @typedef {object} Exchange one question and its answer, ms; `sent` and `heard` by the page's clock, the others by the server's
 * @property {number} sent
 * @property {number} received
 * @property {number} answered
 * @property {number} heard
 */

/** Clocks drift apart, a millisecond in some minutes: what was found longer ago is forgotten. */
const KEPT = 15;

export class ServerClock {
  /** @type {{ offset: number, roundTrip: number }[]} */
  #found = [];

  /**
   * As NTP does it (RFC 5905, section 8): wrong by half the round trip at most, and by nothing where both ways take as
   * long.
   *
   * @param {Exchange} exchange
   */
  learn({ sent, received, answered, heard }) {
    const offset = (received - sent + (answered - heard)) / 2;
    const roundTrip = Math.max(0, heard - sent - (answered - received));
    if (!Number.isFinite(offset) || !Number.isFinite(roundTrip)) return;
    this.#found.push({ offset, roundTrip });
    if (this.#found.length > KEPT) this.#found.shift();
  }

  /**
   * What to add to the page's time for the server's, by the quickest exchange; null before the first.
   *
   * @returns {{ offset: number, roundTrip: number } | null}
   */
  get best() {
    return this.#found.reduce(
      (best, found) => (best === null || found.roundTrip < best.roundTrip ? found : best),
      /** @type {{ offset: number, roundTrip: number } | null} */ (null),
    );
  }
}
