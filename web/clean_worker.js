// @ts-check
// A worker: one stream's own video, from the connection to the canvas. Nothing that the page does holds it up.

import { CleanDecoder } from "./clean_decoder.js";
import { CleanReception } from "./clean_reception.js";
import { CleanStage } from "./clean_stage.js";
import { MOST_LAG_MS } from "./clean_timing.js";

/** @typedef {import("./clean_reception.js").Arrival} Arrival */
/** @typedef {import("./clean_reception.js").Received} Received */
/** @typedef {import("./clean_wire.js").Picture} Picture */
/** @typedef {import("./clean_stage.js").Screen} Screen */
/** @typedef {import("./live_paint.js").Drawn} Drawn */
/** @typedef {import("./zoom.js").Look} Look */
/**
 * @typedef {{ do: "open", url: string, exact: boolean, small: boolean } | { do: "pause", paused: boolean } | { do: "close" }
 *   | { do: "canvas", canvas: OffscreenCanvas } | { do: "screen", screen: Screen } | { do: "drawn", drawn: Drawn }
 *   | { do: "size", small: boolean } | { do: "look", look: Look } | { do: "exact", exact: boolean } | { do: "still", of: number }} Order
 */
/**
 * @typedef {object} Painted
 * @property {number} opening
 * @property {number} time
 * @property {number} came when it came to the page, milliseconds since 1970 as `performance` counts
 * @property {number} at when it was painted, as well
 * @property {boolean} known whether boxes of it were known
 * @property {boolean} exact whether the model had looked at this very picture
 * @property {boolean} live whether it came as it was made, and not out of the server's memory
 */
/** @typedef {Received & { takes: number, dropped: number }} State takes: milliseconds from a picture's coming to its being painted; dropped: pictures that were not decoded */
/**
 * @typedef {{ say: "painted", painted: Painted[], state: State } | { say: "failed", reason: string, lasting: boolean }
 *   | { say: "viewer", viewer: string }
 *   | { say: "still", of: number, blob: Blob | null }} News
 */
/** @typedef {Omit<Arrival, "lag">} Awaiting */

/** Before a picture is due its decoding begins: until then it waits as it came, which takes little memory. */
const LEAD_MS = 40;
/** How long a picture whose boxes are on their way may stop those behind it, if the next is not due long before. */
const GRACE_MS = 60;
/** What is so much behind came in a heap, which the decoder is to take as it is. */
const BURST_LAG_MS = 100;
/** Pictures that wait at most: half a second of 120 a second. */
const MOST_WAITING = 64;
/** Pictures that the decoder may have: a group out of the server's memory, and what came since. */
const MOST_INSIDE = 1024;
/** What lies further from the one before it is not spaced out: a camera's clock jumped, or nothing came. */
const MOST_APART_MS = 500;
/** Of the distance between two, so that what came late once does not delay all that follow. */
const APART = 0.9;
const NEWS_MS = 250;
/** By how much a figure follows, a picture. */
const FOLLOWS = 0.1;

class CleanVideo {
  /** @type {CleanStage | null} */
  #stage = null;
  #reception = new CleanReception({
    onform: (form) => {
      this.#reorder = form.reorder;
      this.#decoder.open(form);
    },
    ongroup: (pictures) => this.#decoder.expect(pictures),
    onpicture: (arrival) => this.#come(arrival),
    onbreak: () => this.#clear(),
    ontaken: () => this.#pump(),
    onviewer: (viewer) => say({ say: "viewer", viewer }),
    onfail: (reason, lasting) => this.#fail(reason, lasting),
  });
  #decoder = new CleanDecoder(
    (frame, picture) => this.#decoded(frame, picture),
    (reason, lasting) => this.#fail(reason, lasting),
  );
  /** @type {Awaiting[]} not decoded yet */
  #coming = [];
  /** What the decoder has, by its time.
   * @type {Map<number, Awaiting>}
   */
  #inside = new Map();
  /** @type {(Awaiting & { frame: VideoFrame })[]} decoded, and not shown yet */
  #ready = [];
  /** Pictures that may come before one that is shown earlier. */
  #reorder = 0;
  /** What the decoder gave last.
   * @type {Awaiting | null}
   */
  #last = null;
  #timer = 0;
  /** @type {Painted[]} not told of yet */
  #painted = [];
  #toldAt = -Infinity;
  /** From a picture's coming to its being painted, milliseconds. */
  #takes = 0;

  /** @param {Order} order */
  obey(order) {
    switch (order.do) {
      case "canvas":
        this.#stage = new CleanStage(order.canvas);
        break;
      case "open":
        this.#open(order);
        break;
      case "pause":
        this.#reception.pause(order.paused);
        this.#clear();
        if (order.paused) this.#decoder.close();
        break;
      case "close":
        this.#close();
        break;
      case "exact":
        this.#reception.timing.exact = order.exact;
        break;
      case "size":
        this.#reception.small = order.small;
        break;
      case "still":
        this.#still(order.of);
        break;
      default:
        this.#set(order);
    }
  }

  /** @param {Order} order about what is seen */
  #set(order) {
    const stage = this.#stage;
    if (!stage) return;
    if (order.do === "screen") stage.resize(order.screen);
    if (order.do === "drawn") stage.drawn = order.drawn;
    if (order.do === "look") stage.look = order.look;
    if (order.do !== "screen") stage.repaint();
  }

  /** @param {{ url: string, exact: boolean, small: boolean }} order */
  #open({ url, exact, small }) {
    this.#close();
    [this.#painted, this.#toldAt] = [[], -Infinity]; // the next viewer's are told by another name
    this.#reception.open(url, { exact, small });
  }

  /** @param {Arrival} arrival */
  #come({ lag, ...awaiting }) {
    if (lag > BURST_LAG_MS) this.#decoder.allow();
    const isOld = lag > MOST_LAG_MS; // it lay in the network's buffers: only those behind it need it
    this.#coming.push(isOld ? { ...awaiting, due: awaiting.came, memory: "more" } : awaiting);
    const isLive = awaiting.memory === "no" && !isOld;
    if (isLive && this.#coming.length > MOST_WAITING) this.#decode(this.#coming.shift()); // it is due already
  }

  /** @param {Awaiting | undefined} awaiting */
  #decode(awaiting) {
    if (!awaiting) return;
    this.#inside.set(awaiting.picture.time, awaiting);
    if (!this.#decoder.decode(awaiting.picture)) this.#inside.delete(awaiting.picture.time);
    for (const oldest of this.#inside.keys()) {
      if (this.#inside.size <= MOST_INSIDE) break;
      this.#inside.delete(oldest); // it was damaged, and never comes out
    }
  }

  /**
   * @param {VideoFrame} frame
   * @param {Picture} picture
   */
  #decoded(frame, picture) {
    const awaiting = this.#inside.get(picture.time);
    this.#inside.delete(picture.time);
    if (!awaiting) return frame.close();
    this.#last = { ...awaiting, due: this.#dueInTurn(awaiting) };
    this.#ready.push({ ...this.#last, frame });
    this.#pump();
  }

  /** When a picture is due in the order in which they are shown: by its coming alone, one that came before others which are
   * shown earlier would be due with them.
   * @param {Awaiting} awaiting
   */
  #dueInTurn({ picture, due, memory }) {
    const last = this.#last;
    const apart = last ? (picture.time - last.picture.time) / 1000 : 0;
    const isInTurn = this.#reorder > 0 && this.#reception.timing.exact && memory === "no" && last?.memory === "no";
    if (!isInTurn || apart <= 0 || apart > MOST_APART_MS) return due;
    return Math.max(due, Math.min(last.due + APART * apart, due + MOST_APART_MS));
  }

  /** Does what is due, and comes back for what is due next. */
  #pump() {
    clearTimeout(this.#timer);
    const now = performance.now();
    while (this.#coming[0] && this.#coming[0].due - LEAD_MS <= now) this.#decode(this.#coming.shift());
    let shown = null;
    while (this.#ready[0] && this.#dueOf(this.#ready[0]) <= now) {
      const ready = /** @type {Awaiting & { frame: VideoFrame }} */ (this.#ready.shift());
      if (ready.memory !== "no") this.#show(ready, now);
      else {
        if (shown) this.#leaveOut(shown);
        shown = ready;
      }
    }
    if (shown) this.#show(shown, now);
    const next = Math.min(
      this.#coming[0] ? this.#coming[0].due - LEAD_MS : Infinity,
      this.#ready[0] ? this.#dueOf(this.#ready[0]) : Infinity,
    );
    if (next < Infinity) this.#timer = setTimeout(() => this.#pump(), Math.max(0, next - performance.now()));
  }

  /** When a picture is shown: a little later where the model looks at it and has not answered, and not so late that it would
   * be left out for the next.
   * @param {Awaiting} awaiting
   */
  #dueOf({ picture, due, memory }) {
    const waits = this.#reception.timing.exact && memory === "no" && this.#reception.isAwaited(picture);
    return waits ? due + Math.min(GRACE_MS, (this.#dueAfter(due) - due) / 2) : due;
  }

  /** When the next one is due of all that came.
   * @param {number} due
   */
  #dueAfter(due) {
    const others = [this.#coming[0], this.#ready[1], ...this.#inside.values()];
    return Math.min(...others.map((other) => (other && other.due > due ? other.due : Infinity)));
  }

  /** @param {Awaiting & { frame: VideoFrame }} ready which is due no sooner than another one behind it */
  #leaveOut({ frame, picture }) {
    if (this.#reception.isAwaited(picture)) this.#reception.timing.shown(true);
    frame.close();
  }

  /**
   * @param {Awaiting & { frame: VideoFrame }} ready
   * @param {number} now
   */
  #show({ frame, ...awaiting }, now) {
    const { picture, memory, came } = awaiting;
    if (memory === "more" || !this.#stage) return frame.close(); // one after the other they would be seen as a rush
    const { boxes, known, exact, predicted } = this.#reception.shown(picture);
    const { displayWidth: width, displayHeight: height } = frame;
    this.#stage.show({ image: frame, width, height, boxes, predicted });
    const { opening, time } = picture;
    const [origin, at] = [performance.timeOrigin, performance.now()];
    const live = memory === "no";
    this.#painted.push({ opening, time, came: origin + came, at: origin + at, known, exact, live });
    if (live) this.#takes += FOLLOWS * (at - came - this.#takes);
    if (now - this.#toldAt >= NEWS_MS) this.#tell(now);
  }

  /** @param {number} now */
  #tell(now) {
    this.#toldAt = now;
    const state = { ...this.#reception.state, takes: this.#takes, dropped: this.#decoder.dropped };
    say({ say: "painted", painted: this.#painted.splice(0), state });
  }

  /** @param {number} of */
  async #still(of) {
    say({ say: "still", of, blob: (await this.#stage?.still()) ?? null });
  }

  /** Forgets what is on its way; what is seen stays. */
  #clear() {
    clearTimeout(this.#timer);
    for (const { frame } of this.#ready.splice(0)) frame.close();
    this.#coming = [];
    this.#inside.clear();
    this.#last = null;
    this.#decoder.skip();
  }

  #close() {
    this.#reception.close();
    this.#clear();
    this.#decoder.close();
  }

  /**
   * @param {string} reason
   * @param {boolean} lasting
   */
  #fail(reason, lasting) {
    this.#close();
    say({ say: "failed", reason, lasting });
  }
}

/** @param {News} news */
function say(news) {
  self.postMessage(news);
}

const video = new CleanVideo();
self.onmessage = ({ data }) => video.obey(data);
