// @ts-check
// One stream's video, by the best way that brings it here: a ladder of ways, climbed again when a better one can be had.

import { MseWay } from "./mse_way.js";
import { PictureWay } from "./picture_way.js";
import { pollPictures } from "./pictures.js";
import { WebCodecsWay } from "./webcodecs_way.js";
import { WebRtcWay } from "./webrtc_way.js";

/** @typedef {"none" | "webcodecs" | "mse" | "webrtc" | "mjpeg" | "stills"} Transport */
/** @typedef {import("./sight.js").Sight} Sight */
/** @typedef {import("./stats.js").Measurement} Measurement */
/** @typedef {import("./watching.js").WayChoice} WayChoice */
/**
 * @typedef {object} Why
 * @property {number} [retryAfterS] before that it is not worth a try
 * @property {boolean} [forbidden] the server lets this page change nothing
 * @property {boolean} [lasting] it will be so each time: this camera, this browser
 * @property {boolean} [shared] so it is with every way that brings the camera's own video
 */
/**
 * @typedef {object} Heard what a way is told to say
 * @property {(frames: number) => void} onframe so many were shown since the last time
 * @property {(reason: string, why?: Why) => void} onfail it brings none any more; a sentence
 * @property {OnPainted} onpainted
 */
/**
 * @callback OnPainted a picture was painted by the page
 * @param {number} time that it is known by, microseconds
 * @param {number} came when it came to the page, milliseconds of `performance`
 * @param {number} at when it was painted
 * @param {boolean} exact whether with the boxes that the model found in it
 */
/**
 * @typedef {object} Way one of the ways that video comes; it is made once and opened as often as it is tried
 * @property {Transport} transport
 * @property {string} name for people
 * @property {HTMLVideoElement | null} picture what of it is to be kept when it closes
 * @property {() => void} open
 * @property {() => void} close may be called twice
 * @property {() => Promise<Measurement | null>} measure since the previous call
 * @property {boolean} [shown] whether what it paints by itself is seen
 * @property {(paused: boolean) => void} [pause] nobody looks for now
 * @property {() => void} [end] for good
 * @property {() => Promise<Blob | null>} [still] what is seen
 * @property {import("./clean_worker.js").State | null} [state]
 */
/**
 * @typedef {object} Rung
 * @property {WayChoice} choice
 * @property {Way} way
 * @property {string} impossible why it cannot be here; "" where it can
 * @property {number} retryAt
 * @property {boolean} lasting whether it failed for what will not be otherwise
 * @property {string} reason why it failed last; "" where it did not
 * @property {boolean} forbidden whether for what a person can put right
 */

const NO_FRAME_MS = 3000;
/** The camera's own video may wait for its next key picture, while something else plays. */
const KEY_PICTURE_MS = 20_000;
const RETRY_MS = 30_000;
const LASTING_MS = 300_000;
const TICK_MS = 500;

export class Player {
  /** @type {Transport} what the picture on the screen came through */
  transport = "none";
  /** @type {string | null} why it is not the best way */
  fallbackReason = null;
  /** Whether that is because the server lets this page change nothing, which is for a person to put right. */
  forbidden = false;
  /** @type {string | null} why nothing comes at all; null while something does, or may yet */
  failure = null;
  /** Frames shown since the page was opened, over any transport. */
  frames = 0;
  /** Whether frames ought to be coming: with a camera that is away their absence is no fault of the transport. */
  expecting = false;
  /** Hears of every picture that the page knows it has painted.
   * @type {OnPainted | null}
   */
  onpainted = null;

  /** @type {Rung[]} the best first */
  #rungs;
  #pictures;
  /** The best that is tried, what plays, and what is tried beside it, by their places on the ladder; -1: none. */
  #top = 0;
  #current = -1;
  #trial = -1;
  #trialSince = 0;
  #resting = false;
  /** @type {(() => void) | null} */
  #closePoster = null;
  #lastFrameAt = 0;
  #timer = 0;

  /**
   * @param {object} parts
   * @param {HTMLVideoElement} parts.video
   * @param {HTMLCanvasElement} parts.canvas under the video, keeps the last picture
   * @param {Sight} parts.sight
   * @param {{ clean: string, whep: string, mjpeg: string, still: string }} parts.urls
   * @param {() => void} parts.onchange after transport, fallbackReason or failure changed
   */
  constructor({ video, canvas, sight, urls, onchange }) {
    this.canvas = canvas;
    this.urls = urls;
    this.onchange = onchange;
    this.#pictures = new PictureWay(urls, (picture) => this.#paint(picture), this.#heard(3));
    const webcodecs = new WebCodecsWay(urls.clean, video, sight, this.#heard(0));
    const mse = new MseWay(urls.clean, video, sight, this.#heard(1));
    const ways = /** @type {[WayChoice, Way, string][]} */ ([
      ["webcodecs", webcodecs, WebCodecsWay.impossible],
      ["mse", mse, MseWay.impossible],
      ["webrtc", new WebRtcWay(video, urls.whep, this.#heard(2)), ""],
      ["mjpeg", this.#pictures, ""],
    ]);
    const rung = { retryAt: 0, lasting: false, reason: "", forbidden: false };
    this.#rungs = ways.map(([choice, way, impossible]) => ({ choice, way, impossible, ...rung }));
  }

  get running() {
    return this.#timer !== 0;
  }

  /** Whether a picture is on the screen, if only the last one that came. */
  get painted() {
    return "painted" in this.canvas.dataset || this.#rungs.some(({ way }) => way.shown);
  }

  /** What plays says of itself; null where it says nothing. */
  get state() {
    return this.#rungs[this.#current]?.way.state ?? null;
  }

  /** The best way that is tried from now on, and at once.
   * @param {WayChoice} choice
   */
  set choice(choice) {
    const top = Math.max(
      0,
      this.#rungs.findIndex((rung) => rung.choice === choice),
    );
    if (top === this.#top) return;
    this.#top = top;
    if (!this.running) return;
    this.#forgive();
    if (this.#resting) return; // it is tried when somebody looks
    this.#drop();
    [this.fallbackReason, this.forbidden] = [null, false];
    if (top !== this.#current) this.#try(top);
    this.onchange();
  }

  start() {
    if (this.#resting) return this.#resume();
    if (this.running) return;
    this.#timer = window.setInterval(() => this.#tick(performance.now()), TICK_MS);
    this.#lastFrameAt = performance.now();
    this.showStill();
    this.#forgive();
    this.#try(this.#top);
  }

  /** Asks once for the newest picture there is, if none is on the screen: long before a session's first frame. */
  showStill() {
    if (this.#closePoster || this.painted) return;
    this.#closePoster = pollPictures(
      this.urls.still,
      (still) => this.#poster(still),
      () => {}, // a poster is a nicety
      1,
    );
  }

  /**
   * Nobody looks for now: where the way can be continued within a moment it brings and costs nothing meanwhile.
   *
   * @returns {boolean} whether it can
   */
  rest() {
    if (this.#resting) return true;
    const way = this.#rungs[this.#current]?.way;
    if (!this.running || !way?.pause || this.#trial >= 0) return false;
    this.#resting = true;
    way.pause(true);
    return true;
  }

  /** Releases everything on both ends and keeps the last picture; may be called twice. */
  stop() {
    if (!this.running) return;
    window.clearInterval(this.#timer);
    this.#timer = 0;
    this.#resting = false;
    this.#closePoster?.();
    this.#closePoster = null;
    this.#drop();
    this.#leave();
    this.failure = null;
    this.#show("none");
  }

  /** Lets go of what a way keeps between two times. */
  end() {
    this.stop();
    for (const { way } of this.#rungs) way.end?.();
  }

  /** Something changed for the better (the server is back): do not wait for the next attempt's turn. */
  retry() {
    for (const rung of this.#rungs) rung.retryAt = 0;
    this.#pictures.retry();
  }

  /** @returns {Promise<Measurement | null>} since the previous call; null unless WebRTC is playing */
  async measure() {
    const measured = await Promise.all(this.#rungs.map(({ way }) => way.measure()));
    return measured[this.#current] ?? null;
  }

  /** @returns {Promise<Blob | null>} what is seen, as a file */
  async still() {
    const way = (this.#rungs[this.#current] ?? this.#rungs.find(({ way }) => way.shown))?.way; // what ended is still seen
    if (way?.still) return way.still();
    if (way?.picture) this.#paint(way.picture);
    return "painted" in this.canvas.dataset ? new Promise((resolve) => this.canvas.toBlob(resolve, "image/png")) : null;
  }

  // ---- the ladder

  /** @param {number} now */
  #tick(now) {
    if (this.#resting) return;
    const last = this.#rungs.length - 1;
    const [current, trial] = [this.#rungs[this.#current], this.#rungs[this.#trial]];
    if (current && this.#current < last && this.expecting && now - this.#lastFrameAt > NO_FRAME_MS)
      this.#failed(this.#current, `${current.way.name} stopped bringing frames`);
    else if (trial && now - this.#trialSince > this.#patience(trial.way))
      this.#failed(
        this.#trial,
        `${trial.way.name} brought no frame within ${this.#patience(trial.way) / 1000} seconds`,
      );
    else if (!trial) {
      const better = this.#rungs.findIndex(
        ({ impossible, retryAt }, at) => at >= this.#top && at < this.#current && !impossible && now >= retryAt,
      );
      if (better >= 0) this.#open(better);
    }
    this.#pictures.tick(now, this.expecting);
  }

  /** How long a way is tried.
   * @param {Way} way
   */
  #patience({ pause }) {
    return pause && this.#current >= 0 ? KEY_PICTURE_MS : NO_FRAME_MS;
  }

  /** Opens the best way there is, this one or one below.
   * @param {number} at
   */
  #try(at) {
    const now = performance.now();
    const last = this.#rungs.length - 1;
    for (; at < last; at++) {
      const { impossible = "", retryAt = 0 } = this.#rungs[at] ?? {};
      if (!impossible && now >= retryAt) break;
    }
    this.#explain(at);
    this.#open(at);
  }

  /** @param {number} at */
  #open(at) {
    if (at === this.#current) return;
    if (at === this.#rungs.length - 1) {
      this.#leave();
      this.#current = at;
      this.#lastFrameAt = performance.now();
    } else {
      this.#trial = at;
      this.#trialSince = performance.now();
    }
    this.#rungs[at]?.way.open();
  }

  /**
   * @param {number} at of a way on the ladder
   * @returns {Heard}
   */
  #heard(at) {
    return {
      onframe: (frames) => this.#framed(at, frames),
      onfail: (reason, why) => this.#failed(at, reason, why),
      onpainted: (...painted) => this.onpainted?.(...painted),
    };
  }

  /**
   * @param {number} at
   * @param {number} frames
   */
  #framed(at, frames) {
    if (!this.running || (at !== this.#trial && at !== this.#current)) return;
    this.frames += frames;
    if (at === this.#trial) {
      this.#trial = -1;
      this.#leave();
      this.#current = at;
      this.#worked(at);
      this.#explain(at);
    }
    this.#lastFrameAt = performance.now();
    const transport = this.#rungs[at]?.way.transport ?? "none";
    if (this.transport === transport) return;
    this.#closePoster?.();
    for (const { way } of this.#rungs) if ("shown" in way) way.shown = way.transport === transport;
    this.#show(transport);
  }

  /**
   * @param {number} at
   * @param {string} reason
   * @param {Why} [why]
   */
  #failed(at, reason, { retryAfterS = 0, forbidden = false, lasting = false, shared = false } = {}) {
    if (!this.running || (at !== this.#trial && at !== this.#current)) return;
    if (this.#resting) return this.stop(); // it begins anew when somebody looks
    if (at === this.#rungs.length - 1) {
      this.failure = reason; // it tries again by itself
      return this.#show("none");
    }
    const pause = lasting ? LASTING_MS : Math.max(RETRY_MS, retryAfterS * 1000);
    this.#rungs.forEach((rung, place) => {
      if (place !== at && !(shared && place > at && rung.way.pause)) return;
      [rung.retryAt, rung.lasting] = [performance.now() + pause, lasting];
    });
    for (const rung of this.#rungs)
      if (rung === this.#rungs[at] || (shared && rung.way.pause)) [rung.reason, rung.forbidden] = [reason, forbidden];
    if (at === this.#trial) this.#drop();
    else {
      this.#leave();
      this.#show("none");
    }
    this.#explain(this.#current < 0 ? at + 1 : this.#current);
    if (this.#trial < 0 && this.#current < this.#top) this.#try(Math.max(at + 1, this.#top)); // none above was asked for
    this.onchange();
  }

  /** Whatever was said of it is true no more; nor is what was said of all like it.
   * @param {number} at
   */
  #worked(at) {
    const isOwn = this.#rungs[at]?.way.pause !== undefined;
    this.#rungs.forEach((rung, place) => {
      if (place === at || (isOwn && rung.impossible)) [rung.reason, rung.forbidden] = ["", false];
    });
  }

  /** Why it is this way: what a person can put right, else what there is to say of the best one and of the one above.
   * @param {number} at
   */
  #explain(at) {
    const better = this.#rungs.slice(this.#top, at).filter(({ reason, impossible }) => reason || impossible);
    const forbidden = better.find((rung) => rung.forbidden);
    const said = (forbidden ? [forbidden] : [...better.slice(0, 1), ...better.slice(-1)]).map(
      ({ reason, impossible }) => reason || impossible,
    );
    [this.fallbackReason, this.forbidden] = [[...new Set(said)].join("; ") || null, forbidden !== undefined];
  }

  /** Gives up what is tried. */
  #drop() {
    const trial = this.#rungs[this.#trial];
    this.#trial = -1;
    trial?.way.close();
  }

  /** Ends what plays. */
  #leave() {
    const current = this.#rungs[this.#current];
    this.#current = -1;
    if (!current) return;
    if (current.way.picture && this.transport !== "none") this.#paint(current.way.picture);
    current.way.close();
  }

  /** What failed may be tried again, but for what will not be otherwise. */
  #forgive() {
    for (const rung of this.#rungs) if (!rung.lasting) rung.retryAt = 0;
  }

  #resume() {
    this.#resting = false;
    this.#lastFrameAt = performance.now();
    this.#rungs[this.#current]?.way.pause?.(false);
    if (this.#current < this.#top) this.#try(this.#top); // chosen while nobody looked here
  }

  // ---- what is seen

  /** @param {ImageBitmap} still */
  #poster(still) {
    if (this.transport === "none") this.#paint(still);
    this.onchange();
  }

  /** @param {ImageBitmap | HTMLVideoElement} picture */
  #paint(picture) {
    const isVideo = picture instanceof HTMLVideoElement;
    const [width, height] = isVideo ? [picture.videoWidth, picture.videoHeight] : [picture.width, picture.height];
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.canvas.getContext("2d", { alpha: false })?.drawImage(picture, 0, 0);
    this.canvas.dataset.painted = "";
    if (!isVideo) picture.close();
  }

  /** @param {Transport} transport */
  #show(transport) {
    this.transport = transport;
    if (transport !== "none") this.failure = null;
    this.onchange();
  }
}
