// @ts-check
// Live video with its boxes drawn by the server, over WebRTC (WHEP).

import { SessionError } from "./signalling.js";
import { measure } from "./stats.js";
import { WhepSession } from "./whep.js";

/** @typedef {import("./player.js").Heard} Heard */
/** @typedef {import("./player.js").Way} Way */
/** @typedef {import("./stats.js").Measurement} Measurement */

/** @implements {Way} */
export class WebRtcWay {
  /** @type {import("./player.js").Transport} */
  transport = "webrtc";
  name = "WebRTC";
  #video;
  #url;
  #heard;
  /** @type {WhepSession | null} */
  #session = null;
  /** @type {RTCStatsReport | null} */
  #report = null;
  #decoded = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {string} url of WHEP
   * @param {Heard} heard
   */
  constructor(video, url, heard) {
    this.#video = video;
    this.#url = url;
    this.#heard = heard;
  }

  get picture() {
    return this.#video.videoWidth > 0 ? this.#video : null;
  }

  async open() {
    const session = new WhepSession(this.#url, (reason) => this.#heard.onfail(reason));
    this.#session = session;
    [this.#report, this.#decoded] = [null, 0];
    try {
      const media = await session.open();
      if (this.#session !== session) return;
      this.#video.srcObject = media;
      this.#watch(session);
      await this.#video.play();
    } catch (error) {
      if (this.#session !== session || /** @type {Error} */ (error).name === "AbortError") return;
      if (error instanceof SessionError) {
        const { message, retryAfterS = 0, status } = error;
        this.#heard.onfail(message, { retryAfterS, forbidden: status === 403 });
      } else this.#heard.onfail("The browser does not play WebRTC video here");
    }
  }

  close() {
    const session = this.#session;
    this.#session = null; // first: closing must not look like losing
    session?.close();
    this.#video.srcObject = null;
  }

  /** @returns {Promise<Measurement | null>} since the previous call */
  async measure() {
    const report = (await this.#session?.stats()) ?? null;
    const measurement = report && measure(this.#report, report);
    this.#report = report;
    if (measurement && measurement.framesDecoded > this.#decoded) {
      // A covered window gets no frame callbacks although the video plays.
      this.#decoded = measurement.framesDecoded;
      this.#heard.onframe(0);
    }
    return measurement;
  }

  /** @param {WhepSession} session */
  #watch(session) {
    if (!("requestVideoFrameCallback" in this.#video)) return; // measure() sees the frames then
    this.#video.requestVideoFrameCallback((now, frame) => {
      if (this.#session !== session) return;
      session.painted(now, frame);
      this.#heard.onframe(1);
      this.#watch(session);
    });
  }
}
