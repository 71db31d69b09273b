// @ts-check
// One stream's video: WHEP first, pictures over HTTP when WHEP brings none, WHEP again when it can.

import { PictureSlots, pollPictures, streamPictures } from "./pictures.js";
import { measure } from "./stats.js";
import { SessionError } from "./signalling.js";
import { WhepSession } from "./whep.js";

const NO_FRAME_MS = 3000;
const WHEP_RETRY_MS = 30_000;
const PICTURE_RETRY_MS = [1000, 2000, 4000, 8000];
const LONGEST_PICTURE_RETRY_MS = 15_000;
const TICK_MS = 500;

/** @typedef {"none" | "webrtc" | "mjpeg" | "stills"} Transport */
/** @typedef {import("./stats.js").Measurement} Measurement */

/** Shared by all players of the page, because the browser's connections are. */
const slots = new PictureSlots();

export class Player {
  /** @type {Transport} what the picture on the screen came through */
  transport = "none";
  /** @type {string | null} why it is not WebRTC */
  fallbackReason = null;
  /** Whether that is because the server lets this page change nothing, which is for a person to put right. */
  forbidden = false;
  /** @type {string | null} why nothing comes at all; null while something does, or may yet */
  failure = null;
  /** Frames shown since the page was opened, over any transport. */
  frames = 0;
  /** Whether frames ought to be coming: with a camera that is away their absence is no fault of the transport. */
  expecting = false;

  /** @type {WhepSession | null} */
  #session = null;
  #sessionSince = 0;
  #whepRetryAt = 0;
  /** @type {RTCStatsReport | null} */
  #report = null;
  #decoded = 0;
  /** @type {(() => void) | null} */
  #closePictures = null;
  /** @type {"mjpeg" | "stills" | null} */
  #pictureKind = null;
  #pictureFailures = 0;
  #pictureRetryAt = Infinity;
  /** @type {(() => void) | null} */
  #closePoster = null;
  #lastFrameAt = 0;
  #timer = 0;

  /**
   * @param {object} parts
   * @param {HTMLVideoElement} parts.video
   * @param {HTMLCanvasElement} parts.canvas under the video, keeps the last picture
   * @param {{ whep: string, mjpeg: string, still: string }} parts.urls
   * @param {boolean} parts.mjpegOnly never try WHEP
   * @param {() => void} parts.onchange after transport, fallbackReason or failure changed
   */
  constructor({ video, canvas, urls, mjpegOnly, onchange }) {
    this.video = video;
    this.canvas = canvas;
    this.urls = urls;
    this.mjpegOnly = mjpegOnly;
    this.onchange = onchange;
  }

  get running() {
    return this.#timer !== 0;
  }

  start() {
    if (this.running) return;
    this.#timer = window.setInterval(() => this.#tick(performance.now()), TICK_MS);
    this.#lastFrameAt = performance.now();
    this.showStill();
    if (this.mjpegOnly) this.#fallBack("MJPEG was asked for in the address");
    else this.#openWhep();
  }

  /** Asks once for the newest picture there is, if none is on the screen: long before a session's first frame. */
  showStill() {
    if (this.#closePoster || "painted" in this.canvas.dataset) return;
    this.#closePoster = pollPictures(
      this.urls.still,
      (still) => this.#poster(still),
      () => {}, // a poster is a nicety
      1,
    );
  }

  /** Releases everything on both ends and keeps the last picture; may be called twice. */
  stop() {
    if (!this.running) return;
    window.clearInterval(this.#timer);
    this.#timer = 0;
    this.#closePoster?.();
    this.#closePoster = null;
    this.#endWhep();
    this.#endPictures();
    this.#pictureRetryAt = Infinity;
    this.#pictureFailures = 0;
    this.failure = null;
    this.#show("none");
  }

  /** Something changed for the better (the server is back): do not wait for the next attempt's turn. */
  retry() {
    this.#whepRetryAt = 0;
    this.#pictureFailures = 0;
    if (this.#pictureRetryAt !== Infinity) this.#pictureRetryAt = 0;
  }

  /** @returns {Promise<Measurement | null>} since the previous call; null unless WebRTC is playing */
  async measure() {
    const report = (await this.#session?.stats()) ?? null;
    const measurement = report && measure(this.#report, report);
    this.#report = report;
    if (measurement && measurement.framesDecoded > this.#decoded) {
      // A covered window gets no frame callbacks although the video plays.
      this.#decoded = measurement.framesDecoded;
      this.#frameOfWhep();
    }
    return this.transport === "webrtc" ? measurement : null;
  }

  /** @param {number} now */
  #tick(now) {
    const silent = now - this.#lastFrameAt > NO_FRAME_MS;
    if (this.transport === "webrtc") {
      if (silent && this.expecting) this.#fallBack("WebRTC stopped bringing frames");
    } else if (this.#session) {
      if (now - this.#sessionSince > NO_FRAME_MS) this.#fallBack("WebRTC brought no frame within 3 seconds");
    } else if (!this.mjpegOnly && now >= this.#whepRetryAt) {
      this.#openWhep();
    }
    if (this.#pictureKind === "stills" && slots.take()) {
      slots.give();
      this.#openPictures();
    } else if (this.#pictureKind === "mjpeg" && silent && this.expecting) {
      this.#picturesFailed("The picture stream stopped");
    } else if (now >= this.#pictureRetryAt) {
      this.#openPictures();
    }
  }

  async #openWhep() {
    const session = new WhepSession(this.urls.whep, (reason) => this.#fallBack(reason));
    this.#session = session;
    this.#sessionSince = performance.now();
    this.#report = null;
    this.#decoded = 0;
    try {
      const media = await session.open();
      if (this.#session !== session) return;
      this.video.srcObject = media;
      this.#watch(session);
      await this.video.play();
    } catch (error) {
      if (this.#session !== session || /** @type {Error} */ (error).name === "AbortError") return;
      if (error instanceof SessionError) this.#fallBack(error.message, error.retryAfterS, error.status === 403);
      else this.#fallBack("The browser does not play WebRTC video here");
    }
  }

  /** @param {WhepSession} session */
  #watch(session) {
    if (!("requestVideoFrameCallback" in this.video)) return; // measure() sees the frames then
    this.video.requestVideoFrameCallback((now, frame) => {
      if (this.#session !== session) return;
      session.painted(now, frame);
      this.frames++;
      this.#frameOfWhep();
      this.#watch(session);
    });
  }

  #frameOfWhep() {
    this.#lastFrameAt = performance.now();
    if (this.transport === "webrtc") return;
    this.#closePoster?.();
    this.#endPictures();
    this.#pictureFailures = 0;
    this.#pictureRetryAt = Infinity;
    this.#show("webrtc");
  }

  /**
   * @param {string} reason
   * @param {number} [retryAfterS]
   * @param {boolean} [forbidden]
   */
  #fallBack(reason, retryAfterS = 0, forbidden = false) {
    if (!this.running) return;
    const wasPlaying = this.transport === "webrtc";
    this.#endWhep();
    this.#whepRetryAt = performance.now() + Math.max(WHEP_RETRY_MS, retryAfterS * 1000);
    if (wasPlaying) this.#show("none");
    this.fallbackReason = reason;
    this.forbidden = forbidden;
    if (!this.#pictureKind && this.#pictureRetryAt === Infinity) this.#openPictures();
    this.onchange();
  }

  #openPictures() {
    this.#endPictures();
    this.#pictureRetryAt = Infinity;
    this.#lastFrameAt = performance.now();
    const kind = slots.take() ? "mjpeg" : "stills";
    this.#pictureKind = kind;
    const open = kind === "mjpeg" ? streamPictures : pollPictures;
    this.#closePictures = open(
      kind === "mjpeg" ? this.urls.mjpeg : this.urls.still,
      (picture) => {
        this.#paint(picture);
        this.frames++;
        this.#lastFrameAt = performance.now();
        this.#pictureFailures = 0;
        if (this.transport !== kind) this.#show(kind);
      },
      (reason) => this.#picturesFailed(reason),
    );
  }

  /** @param {string} reason */
  #picturesFailed(reason) {
    this.#endPictures();
    const pause = PICTURE_RETRY_MS[this.#pictureFailures++] ?? LONGEST_PICTURE_RETRY_MS;
    this.#pictureRetryAt = performance.now() + pause;
    this.failure = reason;
    this.#show("none");
  }

  #endPictures() {
    this.#closePictures?.();
    this.#closePictures = null;
    if (this.#pictureKind === "mjpeg") slots.give();
    this.#pictureKind = null;
  }

  #endWhep() {
    if (!this.#session) return;
    if (this.transport === "webrtc" && this.video.videoWidth > 0) this.#paint(this.video);
    const session = this.#session;
    this.#session = null; // first: closing must not look like losing
    session.close();
    this.video.srcObject = null;
  }

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
    if (transport === "webrtc") [this.fallbackReason, this.forbidden] = [null, false];
    this.onchange();
  }
}
