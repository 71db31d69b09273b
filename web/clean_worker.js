// @ts-check
// A worker: one stream's own video, from the connection to the canvas. Nothing that the page does holds it up.

import { CleanDecoder } from "./clean_decoder.js";
import { CleanSocket } from "./clean_socket.js";
import { CleanStage } from "./clean_stage.js";
import { CleanTiming, MOST_LAG_MS } from "./clean_timing.js";
import { FrameBoxes } from "./frame_boxes.js";

/** @typedef {import("./clean_wire.js").CleanMessage} CleanMessage */
/** @typedef {import("./clean_wire.js").Form} Form */
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
/**
 * @typedef {object} State
 * @property {number} hold milliseconds for which pictures wait for their boxes
 * @property {boolean} late whether boxes come later than that
 * @property {number} takes milliseconds from a picture's coming to its being painted
 * @property {number} bytes of pictures that came
 * @property {number} dropped pictures that were not decoded
 */
/**
 * @typedef {{ say: "painted", painted: Painted[], state: State } | { say: "failed", reason: string, lasting: boolean }
 *   | { say: "viewer", viewer: string }
 *   | { say: "still", of: number, blob: Blob | null }} News
 */
/** @typedef {{ picture: Picture, came: number, due: number, memory: "no" | "first" | "more" | "last" }} Awaiting */

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
  /** @type {CleanSocket | null} */
  #socket = null;
  /** @type {CleanStage | null} */
  #stage = null;
  #timing = new CleanTiming();
  #boxes = new FrameBoxes();
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
  /** Pictures that still come out of the server's memory. */
  #remembered = 0;
  #isGroupSeen = false;
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
        this.#open(order.url, order.exact, order.small);
        break;
      case "pause":
        this.#socket?.pause(order.paused);
        this.#clear();
        if (order.paused) this.#decoder.close();
        break;
      case "close":
        this.#close();
        break;
      case "exact":
        this.#timing.exact = order.exact;
        break;
      case "size":
        if (this.#socket) this.#socket.small = order.small;
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

  /**
   * @param {string} url
   * @param {boolean} exact
   * @param {boolean} small
   */
  #open(url, exact, small) {
    this.#close();
    [this.#painted, this.#toldAt] = [[], -Infinity]; // the next viewer's are told by another name
    this.#timing.forget();
    this.#timing.exact = exact;
    this.#socket = new CleanSocket(
      url,
      small,
      (message) => this.#take(message, performance.now()),
      (reason) => this.#fail(reason, false),
    );
  }

  /**
   * @param {CleanMessage} message
   * @param {number} now
   */
  #take(message, now) {
    switch (message.type) {
      case "hello":
        this.#timing.began(1000 * message.now, now);
        if (message.viewer) say({ say: "viewer", viewer: message.viewer });
        break;
      case "form":
        this.#form(message);
        break;
      case "group":
        this.#remembered = message.pictures;
        this.#isGroupSeen = false;
        this.#decoder.expect(message.pictures);
        break;
      case "picture":
        this.#come(message, now);
        break;
      case "sampled":
        this.#boxes.sampled(message.opening, message.time);
        break;
      case "boxes":
        this.#boxes.take(message);
        if (message.exact) this.#timing.answered(message.time, now);
        break;
      case "gap":
        this.#clear();
    }
    this.#pump();
  }

  /** @param {Form} form */
  #form(form) {
    this.#clear();
    this.#reorder = form.reorder;
    if (!form.offered) return this.#fail(form.why ?? "The camera’s own video cannot be had", true);
    this.#decoder.open(form);
  }

  /**
   * @param {Picture} picture
   * @param {number} now
   */
  #come(picture, now) {
    /** @type {Awaiting["memory"]} */
    let memory = "no";
    if (this.#remembered > 0) {
      memory = --this.#remembered === 0 ? "last" : this.#isGroupSeen ? "more" : "first";
      this.#isGroupSeen = true;
    } else {
      const lag = this.#timing.came(picture.time, picture.received, now);
      if (lag > BURST_LAG_MS) this.#decoder.allow();
      if (lag > MOST_LAG_MS) memory = "more"; // it lay in the network's buffers: only those behind it need it
    }
    const due = memory === "no" ? this.#timing.due(picture.received, now) : now;
    this.#coming.push({ picture, came: now, due, memory });
    if (memory === "no" && this.#coming.length > MOST_WAITING) this.#decode(this.#coming.shift()); // it is due already
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
    const isInTurn = this.#reorder > 0 && this.#timing.exact && memory === "no" && last?.memory === "no";
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
    const waits = this.#timing.exact && memory === "no" && this.#boxes.of(picture.opening, picture.time).awaited;
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
    if (this.#boxes.of(picture.opening, picture.time).awaited) this.#timing.shown(true);
    frame.close();
  }

  /**
   * @param {Awaiting & { frame: VideoFrame }} ready
   * @param {number} now
   */
  #show({ frame, ...awaiting }, now) {
    const { picture, memory, came } = awaiting;
    if (memory === "more" || !this.#stage) return frame.close(); // one after the other they would be seen as a rush
    const { boxes, known, exact, awaited } = this.#boxes.of(picture.opening, picture.time);
    if (awaited || exact) this.#timing.shown(!exact);
    const { displayWidth: width, displayHeight: height } = frame;
    this.#stage.show({ image: frame, width, height, boxes, predicted: this.#timing.exact ? awaited : !exact });
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
    const { hold, late } = this.#timing;
    const { bytes = 0 } = this.#socket ?? {};
    const state = { hold, late, takes: this.#takes, bytes, dropped: this.#decoder.dropped };
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
    this.#remembered = 0;
    this.#decoder.skip();
  }

  #close() {
    this.#socket?.close();
    this.#socket = null;
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
