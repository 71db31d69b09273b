// @ts-check
// Live video as the camera sends it, through the browser's player (Media Source Extensions), a fragment a frame: where
// WebCodecs are not to be had, which is on every page that came by plain http.

import { CleanReception } from "./clean_reception.js";
import { socketUrl } from "./clean_socket.js";
import { CleanStage } from "./clean_stage.js";
import { MOST_LAG_MS } from "./clean_timing.js";
import { LivePlayer } from "./live_player.js";
import { OwnCanvas } from "./own_canvas.js";
import { PaintedReports } from "./painted.js";

/** @typedef {import("./clean_reception.js").Arrival} Arrival */
/** @typedef {import("./clean_wire.js").Form} Form */
/** @typedef {import("./clean_wire.js").Picture} Picture */
/** @typedef {import("./clean_worker.js").Order} Order */
/** @typedef {import("./clean_worker.js").State} State */
/** @typedef {import("./player.js").Heard} Heard */
/** @typedef {import("./player.js").Way} Way */
/** @typedef {import("./sight.js").Sight} Sight */

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
  #reception = new CleanReception({
    onform: (form) => this.#begin(form),
    ongroup: () => (this.#group = []),
    onpicture: (arrival) => this.#come(arrival),
    onbreak: () => this.#clear(),
    ontaken: () => this.#pump(),
    onviewer: (viewer) => {
      this.#reports = new PaintedReports(`${this.#path}/${viewer}/painted`, this.#closing.signal);
    },
    onfail: (reason, lasting) => this.#fail(reason, { shared: true, lasting }),
  });
  /** @type {LivePlayer | null} */
  #player = null;
  /** @type {OwnCanvas | null} */
  #canvas = null;
  /** @type {CleanStage | null} */
  #stage = null;
  /** @type {Arrival[]} */
  #coming = [];
  /** Pictures out of the server's memory, until they are all here.
   * @type {Picture[]}
   */
  #group = [];
  #timer = 0;
  /** When pictures came that are shown or on their way, by their times.
   * @type {Map<number, Arrival>}
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
    const { small, watching } = this.#sight;
    this.#reception.open(socketUrl(this.#path), { exact: watching.exact, small });
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.#reception.pause(paused);
    this.#clear();
  }

  close() {
    this.#closing.abort();
    [this.#closing, this.#reports] = [new AbortController(), null];
    this.#reception.close();
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
    if (order.do === "size") this.#reception.small = order.small;
    if (order.do === "size" || !stage) return;
    if (order.do === "screen") stage.resize(order.screen);
    else if (order.do === "drawn") stage.drawn = order.drawn;
    else if (order.do === "look") stage.look = order.look;
    else if (order.do === "exact") this.#reception.timing.exact = order.exact;
    if (order.do !== "screen") stage.repaint();
  }

  /** @param {Form} form */
  #begin(form) {
    this.#endPlayer();
    if (!LivePlayer.plays(form.codec)) return this.#fail(`This browser does not play ${form.codec}`, { lasting: true });
    this.#player = new LivePlayer(this.#video, form, {
      onpicture: (picture, video) => this.#show(picture, video),
      onfail: (reason) => this.#fail(reason),
    });
  }

  /** @param {Arrival} arrival */
  #come(arrival) {
    const { picture, memory } = arrival;
    if (memory !== "no") {
      this.#group.push(picture);
      if (memory === "last") this.#player?.add(this.#group.splice(0), true);
      return;
    }
    this.#coming.push(arrival);
    this.#known.set(picture.time, arrival);
    for (const time of this.#known.keys()) {
      if (this.#known.size <= 2 * MOST_WAITING) break;
      this.#known.delete(time);
    }
  }

  #pump() {
    window.clearTimeout(this.#timer);
    const now = performance.now();
    const early = this.#reception.timing.exact ? this.#takes : 0;
    const isDue = (/** @type {Arrival} */ { due }) => due - early <= now || this.#coming.length > MOST_WAITING;
    const pictures = [];
    while (this.#coming[0] && isDue(this.#coming[0]))
      pictures.push(/** @type {Arrival} */ (this.#coming.shift()).picture);
    if (pictures.length > 0) this.#player?.add(pictures, false);
    if (this.#coming[0])
      this.#timer = window.setTimeout(() => this.#pump(), Math.max(0, this.#coming[0].due - early - now));
  }

  /**
   * @param {Picture} picture
   * @param {HTMLVideoElement} video that shows it
   */
  #show(picture, video) {
    const { time } = picture;
    const coming = this.#known.get(time);
    if (coming && coming.lag > MOST_LAG_MS) return; // it lay in the network's buffers: only those behind it need it
    const { boxes, exact, predicted } = this.#reception.shown(picture);
    const { videoWidth: width, videoHeight: height } = video;
    this.#stage?.show({ image: video, width, height, boxes, predicted });
    const at = performance.now();
    if (coming)
      this.#takes += FOLLOWS * (Math.max(0, at - Math.max(coming.came, coming.due - this.#takes)) - this.#takes);
    const takes = (this.state?.takes ?? 0) + (coming ? FOLLOWS * (at - coming.came - (this.state?.takes ?? 0)) : 0);
    this.state = { ...this.#reception.state, takes, dropped: this.#player?.dropped ?? 0 };
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
    [this.#coming, this.#group] = [[], []];
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
