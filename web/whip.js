// @ts-check
// One WHIP publishing session (RFC 9725): POST an offer with this device's video, DELETE the session. No DOM.

import { SessionError, end, gathered, iceServers, post } from "./signalling.js";

/** What 720p needs to be seen clearly, and what one server takes of many. */
const MAX_BITRATE = 2_500_000;
const MAX_FRAME_RATE = 30;
/** Chromium begins at 300 kbit/s and, until it has found out better, makes the picture a sixth as large. */
const START_KBIT = 1500;

export class WhipSession {
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  /** @type {RTCRtpSender | null} */
  #sender = null;
  /** @type {string | null} */
  #location = null;
  #closed = false;
  #endpoint;
  #token;
  #onlost;

  /**
   * @param {string} endpoint WHIP endpoint URL
   * @param {string | undefined} token the server's, where it asks for one
   * @param {(reason: string) => void} onlost called once when an open session breaks
   */
  constructor(endpoint, token, onlost) {
    this.#endpoint = endpoint;
    this.#token = token;
    this.#onlost = onlost;
  }

  /**
   * Publishes a video track until close().
   *
   * @param {MediaStreamTrack} track
   * @throws {SessionError} when the server refuses, or close() was called meanwhile
   */
  async publish(track) {
    const servers = await iceServers(this.#endpoint, this.#token);
    if (this.#closed) throw new SessionError("Closed before it opened");
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: servers });
    this.#pc = pc;
    const encoding = { maxBitrate: MAX_BITRATE, maxFramerate: MAX_FRAME_RATE };
    this.#sender = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: [encoding] }).sender;
    pc.addEventListener("connectionstatechange", () => {
      if (pc.connectionState === "failed" || pc.connectionState === "closed") this.#lose("The WebRTC connection broke");
    });

    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    const { answer, location } = await post(this.#endpoint, pc.localDescription?.sdp ?? "", this.#token);
    this.#location = location;
    if (this.#closed) {
      this.#delete();
      throw new SessionError("Closed before it opened");
    }
    await pc.setRemoteDescription({ type: "answer", sdp: startFast(answer) });
  }

  /**
   * Sends another camera's track in the place of the one before.
   *
   * @param {MediaStreamTrack} track
   */
  async replace(track) {
    await this.#sender?.replaceTrack(track);
  }

  /** Ends the session here and on the server; may be called twice and while a page is being left. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#pc?.close();
    this.#delete();
  }

  /** @param {string} reason */
  #lose(reason) {
    if (this.#closed) return;
    this.close();
    this.#onlost(reason);
  }

  #delete() {
    if (this.#location) end(this.#location, this.#token);
    this.#location = null;
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
