// @ts-check
// Live video as the camera sends it, through the browser's player (Media Source Extensions), a fragment a frame: where
// WebCodecs are not to be had, which is on every page that came by plain http.

import { CleanSocket, socketUrl } from "./clean_socket.js";
import { CleanStage } from "./clean_stage.js";
import { CleanTiming, MOST_LAG_MS } from "./clean_timing.js";
import { FrameBoxes } from "./frame_boxes.js";
import { LivePlayer } from "./live_player.js";
import { OwnCanvas } from "./own_canvas.js";
import { PaintedReports } from "./painted.js";

/** @typedef {import("./clean_wire.js").CleanMessage} CleanMessage */
/** @typedef {import("./clean_wire.js").Form} Form */
/** @typedef {import("./clean_wire.js").Picture} Picture */
/** @typedef {import("./clean_worker.js").Order} Order */
/** @typedef {import("./clean_worker.js").State} State */
/** @typedef {import("./player.js").Heard} Heard */
/** @typedef {import("./player.js").Way} Way */
/** @typedef {import("./sight.js").Sight} Sight */
/** @typedef {{ picture: Picture, came: number, due: number, isOld: boolean }} Coming */

/** Pictures that wait at most: half a second of 120 a second. */
const MOST_WAITING = 64;
/** By how much what the player takes is followed, a picture. */
const FOLLOWS = 0.1;

/** @implements {Way} */
export class MseWay {
  /** @type {import("./player.js").Transport} */
  transport = "mse";
  name = "Media Source Extensions";
  picture = null;
  /** @type {State | null} */
  state = null;
  #path;
  #video;
  #sight;
  #heard;
  #closing = new AbortController();
  /** @type {PaintedReports | null} */
  #reports = null;
  #timing = new CleanTiming();
  #boxes = new FrameBoxes();
  /** @type {CleanSocket | null} */
  #socket = null;
  /** @type {LivePlayer | null} */
  #player = null;
  /** @type {OwnCanvas | null} */
  #canvas = null;
  /** @type {CleanStage | null} */
  #stage = null;
  /** @type {Coming[]} */
  #coming = [];
  /** Pictures that still come out of the server's memory; those that have. */
  #remembered = 0;
  /** @type {Picture[]} */
  #group = [];
  #timer = 0;
  /** When pictures came that are shown or on their way, by their times.
   * @type {Map<number, Coming>}
   */
  #known = new Map();
  /** What the player takes from a fragment to its picture, milliseconds. */
  #takes = 0;

  /**
   * @param {string} path of the stream's own video
   * @param {HTMLElement} video over which it lies
   * @param {Sight} sight
   * @param {Heard} heard
   */
  constructor(path, video, sight, heard) {
    this.#path = path;
    this.#video = video;
    this.#sight = sight;
    this.#heard = heard;
  }

  /** Whether this browser can at all: why not, a sentence; "" where it can. */
  static get impossible() {
    const can = LivePlayer.isThere && "requestVideoFrameCallback" in HTMLVideoElement.prototype;
    return can ? "" : "This browser has no Media Source Extensions";
  }

  get shown() {
    return this.#canvas?.shown ?? false;
  }

  set shown(shown) {
    if (this.#canvas) this.#canvas.shown = shown;
  }

  open() {
    this.close();
    this.#build();
    this.#timing.forget();
    this.#timing.exact = this.#sight.watching.exact;
    this.#socket = new CleanSocket(
      socketUrl(this.#path),
      this.#sight.small,
      (message) => this.#take(message, performance.now()),
      (reason) => this.#fail(reason, { shared: true }),
    );
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.#socket?.pause(paused);
    this.#clear();
  }

  close() {
    this.#closing.abort();
    [this.#closing, this.#reports] = [new AbortController(), null];
    this.#socket?.close();
    this.#socket = null;
    this.#clear();
    this.#endPlayer();
  }

  end() {
    this.close();
    this.#canvas?.end();
    [this.#canvas, this.#stage] = [null, null];
  }

  async measure() {
    return null;
  }

  async still() {
    return this.#stage?.still() ?? null;
  }

  #build() {
    if (this.#canvas) return;
    const own = (this.#canvas = new OwnCanvas(this.#video, this.#sight, (order) => this.#obey(order)));
    this.#stage = new CleanStage(own.element);
    own.begin();
  }

  /** @param {Order} order */
  #obey(order) {
    const stage = this.#stage;
    if (order.do === "size" && this.#socket) this.#socket.small = order.small;
    if (order.do === "size" || !stage) return;
    if (order.do === "screen") stage.resize(order.screen);
    else if (order.do === "drawn") stage.drawn = order.drawn;
    else if (order.do === "look") stage.look = order.look;
    else if (order.do === "exact") this.#timing.exact = order.exact;
    if (order.do !== "screen") stage.repaint();
  }

  /**
   * @param {CleanMessage} message
   * @param {number} now
   */
  #take(message, now) {
    switch (message.type) {
      case "hello":
        this.#timing.began(1000 * message.now, now);
        if (message.viewer)
          this.#reports = new PaintedReports(`${this.#path}/${message.viewer}/painted`, this.#closing.signal);
        break;
      case "form":
        this.#begin(message);
        break;
      case "group":
        [this.#remembered, this.#group] = [message.pictures, []];
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
  #begin(form) {
    this.#clear();
    this.#endPlayer();
    if (!form.offered)
      return this.#fail(form.why ?? "The camera’s own video cannot be had", { shared: true, lasting: true });
    if (!LivePlayer.plays(form.codec)) return this.#fail(`This browser does not play ${form.codec}`, { lasting: true });
    this.#player = new LivePlayer(this.#video, form, {
      onpicture: (picture, video) => this.#show(picture, video),
      onfail: (reason) => this.#fail(reason),
    });
  }

  /**
   * @param {Picture} picture
   * @param {number} now
   */
  #come(picture, now) {
    if (this.#remembered > 0) {
      this.#group.push(picture);
      if (--this.#remembered === 0) this.#player?.add(this.#group.splice(0), true);
      return;
    }
    const isOld = this.#timing.came(picture.time, picture.received, now) > MOST_LAG_MS;
    const coming = { picture, came: now, due: this.#timing.due(picture.received, now), isOld };
    this.#coming.push(coming);
    this.#known.set(picture.time, coming);
    for (const time of this.#known.keys()) {
      if (this.#known.size <= 2 * MOST_WAITING) break;
      this.#known.delete(time);
    }
  }

  #pump() {
    window.clearTimeout(this.#timer);
    const now = performance.now();
    const early = this.#timing.exact ? this.#takes : 0;
    const isDue = (/** @type {Coming} */ { due }) => due - early <= now || this.#coming.length > MOST_WAITING;
    const pictures = [];
    while (this.#coming[0] && isDue(this.#coming[0]))
      pictures.push(/** @type {Coming} */ (this.#coming.shift()).picture);
    if (pictures.length > 0) this.#player?.add(pictures, false);
    if (this.#coming[0])
      this.#timer = window.setTimeout(() => this.#pump(), Math.max(0, this.#coming[0].due - early - now));
  }

  /**
   * @param {Picture} picture
   * @param {HTMLVideoElement} video that shows it
   */
  #show({ opening, time }, video) {
    const coming = this.#known.get(time);
    if (coming?.isOld) return; // it lay in the network's buffers: the player needs it for those behind it, and goes to those
    const { boxes, exact, awaited } = this.#boxes.of(opening, time);
    if (awaited || exact) this.#timing.shown(!exact);
    const { videoWidth: width, videoHeight: height } = video;
    const predicted = this.#timing.exact ? awaited : !exact;
    this.#stage?.show({ image: video, width, height, boxes, predicted });
    const at = performance.now();
    if (coming)
      this.#takes += FOLLOWS * (Math.max(0, at - Math.max(coming.came, coming.due - this.#takes)) - this.#takes);
    const { hold, late } = this.#timing;
    const takes = (this.state?.takes ?? 0) + (coming ? FOLLOWS * (at - coming.came - (this.state?.takes ?? 0)) : 0);
    this.state = { hold, late, takes, bytes: this.#socket?.bytes ?? 0, dropped: this.#player?.dropped ?? 0 };
    this.#heard.onframe(1);
    if (!coming) return; // out of the server's memory
    this.#heard.onpainted(time, coming.came, at, exact);
    this.#reports?.add(time, coming.came, at);
  }

  #endPlayer() {
    if (!this.#player) return;
    this.#stage?.keep(document.createElement("canvas"));
    this.#player.close();
    this.#player = null;
  }

  #clear() {
    window.clearTimeout(this.#timer);
    [this.#coming, this.#group, this.#remembered] = [[], [], 0];
    this.#known.clear();
    this.#player?.skip();
  }

  /**
   * @param {string} reason
   * @param {import("./player.js").Why} [why]
   */
  #fail(reason, why) {
    this.close();
    this.#heard.onfail(reason, why);
  }
}
