// @ts-check
// One WHEP viewing session (draft-ietf-wish-whep). No DOM.

import { PaintedReports } from "./painted.js";
import { Session } from "./session.js";

export class WhepSession extends Session {
  /** @type {PaintedReports | null} */
  #reports = null;

  /**
   * @returns {Promise<MediaStream>} the remote video, before its first frame
   * @throws {import("./signalling.js").SessionError} as connect() does
   */
  async open() {
    const media = new MediaStream();
    await this.connect((pc) => {
      const { receiver } = pc.addTransceiver("video", { direction: "recvonly" });
      // Zero means "as little as the network allows"; Chromium only, ignored elsewhere.
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
      const lose = () => this.lose("The server ended the WebRTC session");
      receiver.track.addEventListener("ended", lose, { signal: this.closing });
      media.addTrack(receiver.track);
    });
    if (this.location && !this.closing.aborted) {
      this.#reports = new PaintedReports(`${this.location}/painted`, this.closing);
    }
    return media;
  }

  /**
   * A frame of it is on the screen. Browsers that do not name the frame by its RTP timestamp have nothing to tell.
   *
   * @param {number} now of the frame callback
   * @param {VideoFrameCallbackMetadata} frame
   */
  painted(now, { rtpTimestamp, receiveTime, expectedDisplayTime }) {
    if (rtpTimestamp === undefined) return;
    this.#reports?.add(rtpTimestamp, receiveTime ?? null, Math.max(now, expectedDisplayTime));
  }
}
