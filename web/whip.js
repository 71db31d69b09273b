// @ts-check
// One WHIP publishing session (RFC 9725). No DOM.

import { Session } from "./session.js";

/** What 720p needs to be seen clearly, and what one server takes of many. */
const MAX_BITRATE = 2_500_000;
const MAX_FRAME_RATE = 30;
/** Chromium begins at 300 kbit/s and, until it has found out better, makes the picture a sixth as large. */
const START_KBIT = 1500;

export class WhipSession extends Session {
  /** @type {RTCRtpSender | null} */
  #sender = null;

  /**
   * Publishes a video track until close().
   *
   * @param {MediaStreamTrack} track
   * @throws {import("./signalling.js").SessionError} as connect() does
   */
  async publish(track) {
    const encoding = { maxBitrate: MAX_BITRATE, maxFramerate: MAX_FRAME_RATE };
    await this.connect((pc) => {
      this.#sender = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: [encoding] }).sender;
    }, startFast);
  }

  /**
   * Sends another camera's track in the place of the one before.
   *
   * @param {MediaStreamTrack} track
   */
  async replace(track) {
    await this.#sender?.replaceTrack(track);
  }
}

/**
 * An answer that tells Chromium at which bitrate to begin; others ignore the parameter.
 *
 * @param {string} answer
 */
export function startFast(answer) {
  return answer.replace(/^(a=fmtp:\d+ .*profile-level-id=.*?)(\r?)$/gm, `$1;x-google-start-bitrate=${START_KBIT}$2`);
}
