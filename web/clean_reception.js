// @ts-check
// A camera's own video as it comes here, whoever decodes it: its messages, when each picture is due, and the boxes of each.
// No DOM: it also runs where pictures are decoded.

import { CleanSocket } from "./clean_socket.js";
import { CleanTiming } from "./clean_timing.js";
import { FrameBoxes } from "./frame_boxes.js";

/** @typedef {import("./clean_wire.js").CleanMessage} CleanMessage */
/** @typedef {import("./clean_wire.js").Form} Form */
/** @typedef {import("./clean_wire.js").Picture} Picture */
/** @typedef {import("./recorded_boxes.js").Box} Box */
/** @typedef {"no" | "first" | "more" | "last"} Memory whether it comes out of the server's memory, and where it is in there */
/**
 * @typedef {object} Arrival
 * @property {Picture} picture
 * @property {number} came milliseconds, as all here
 * @property {number} due when it is to be shown
 * @property {number} lag by how much it came later than on the quickest way; 0 out of memory
 * @property {Memory} memory
 */
/**
 * @typedef {object} Told who decodes
 * @property {(form: Form) => void} onform pictures of that form follow, which are offered
 * @property {(pictures: number) => void} ongroup so many follow out of the server's memory
 * @property {(arrival: Arrival) => void} onpicture
 * @property {() => void} onbreak what comes next does not go on from what came
 * @property {() => void} ontaken a message was taken
 * @property {(viewer: string) => void} onviewer by which name reports are made of what is seen
 * @property {(reason: string, lasting: boolean) => void} onfail nothing comes any more
 */
/**
 * @typedef {object} Received
 * @property {number} hold milliseconds for which pictures wait for their boxes
 * @property {boolean} late whether boxes come later than that
 * @property {number} bytes of pictures that came
 * @property {"large" | "small"} size which of the camera's videos comes
 */

export class CleanReception {
  timing = new CleanTiming();
  #told;
  #boxes = new FrameBoxes();
  /** @type {CleanSocket | null} */
  #socket = null;
  /** @type {"large" | "small"} */
  #size = "large";
  /** Pictures that still come out of the server's memory. */
  #remembered = 0;
  #isGroupSeen = false;

  /** @param {Told} told */
  constructor(told) {
    this.#told = told;
  }

  /**
   * @param {string} url
   * @param {object} how
   * @param {boolean} how.exact whether pictures wait for their boxes
   * @param {boolean} how.small whether the camera's smaller video will do
   */
  open(url, { exact, small }) {
    this.close();
    this.timing.forget();
    this.timing.exact = exact;
    this.#socket = new CleanSocket(
      url,
      small,
      (message) => this.#take(message, performance.now()),
      (reason) => this.#told.onfail(reason, false),
    );
  }

  /** @param {boolean} paused whether nothing is to be sent for now */
  pause(paused) {
    this.#socket?.pause(paused);
    this.#remembered = 0;
  }

  close() {
    this.#socket?.close();
    this.#socket = null;
    this.#remembered = 0;
  }

  /** Whether the camera's smaller video will do. */
  set small(/** @type {boolean} */ small) {
    if (this.#socket) this.#socket.small = small;
  }

  /** @returns {Received} */
  get state() {
    const { hold, late } = this.timing;
    return { hold, late, bytes: this.#socket?.bytes ?? 0, size: this.#size };
  }

  /** Whether the model looks at a picture, and has not answered yet.
   * @param {Picture} picture
   */
  isAwaited({ opening, time }) {
    return this.#boxes.of(opening, time).awaited;
  }

  /**
   * A picture is shown now.
   *
   * @param {Picture} picture
   * @returns {{ boxes: Box[], known: boolean, exact: boolean, predicted: boolean }} predicted: whether that is to be seen
   */
  shown({ opening, time }) {
    const { boxes, known, exact, awaited } = this.#boxes.of(opening, time);
    if (awaited || exact) this.timing.shown(!exact);
    return { boxes, known, exact, predicted: this.timing.exact ? awaited : !exact };
  }

  /**
   * @param {CleanMessage} message
   * @param {number} now
   */
  #take(message, now) {
    switch (message.type) {
      case "hello":
        this.timing.began(1000 * message.now, now);
        if (message.viewer) this.#told.onviewer(message.viewer);
        break;
      case "form":
        this.#form(message);
        break;
      case "group":
        [this.#remembered, this.#isGroupSeen] = [message.pictures, false];
        this.#told.ongroup(message.pictures);
        break;
      case "picture":
        this.#told.onpicture(this.#arrival(message, now));
        break;
      case "sampled":
        this.#boxes.sampled(message.opening, message.time);
        break;
      case "boxes":
        this.#boxes.take(message);
        if (message.exact) this.timing.answered(message.time, now);
        break;
      case "gap":
        this.#break();
    }
    this.#told.ontaken();
  }

  /** @param {Form} form */
  #form(form) {
    this.#break();
    this.#size = form.size ?? "large"; // an older server has one alone
    if (form.offered) this.#told.onform(form);
    else this.#told.onfail(form.why ?? "The camera’s own video cannot be had", true);
  }

  #break() {
    this.#remembered = 0;
    this.#told.onbreak();
  }

  /**
   * @param {Picture} picture
   * @param {number} now
   * @returns {Arrival}
   */
  #arrival(picture, now) {
    if (this.#remembered > 0) {
      const memory = --this.#remembered === 0 ? "last" : this.#isGroupSeen ? "more" : "first";
      this.#isGroupSeen = true;
      return { picture, came: now, due: now, lag: 0, memory };
    }
    const lag = this.timing.came(picture.time, picture.received, now);
    return { picture, came: now, due: this.timing.due(picture.received, now), lag, memory: "no" };
  }
}
