// @ts-check
// One WHEP viewing session (draft-ietf-wish-whep): POST an offer, play the answer, DELETE the session. No DOM.

import { SessionError, end, gathered, iceServers, post } from "./signalling.js";

export class WhepSession {
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  /** @type {string | null} */
  #location = null;
  #closed = false;
  #endpoint;
  #onlost;

  /**
   * @param {string} endpoint WHEP endpoint URL
   * @param {(reason: string) => void} onlost called once when an open session breaks
   */
  constructor(endpoint, onlost) {
    this.#endpoint = endpoint;
    this.#onlost = onlost;
  }

  /**
   * @returns {Promise<MediaStream>} the remote video, before its first frame
   * @throws {SessionError} when the browser has no WebRTC, the server refuses, or close() was called meanwhile
   */
  async open() {
    if (typeof RTCPeerConnection === "undefined") throw new SessionError("This browser has no WebRTC");
    const servers = await iceServers(this.#endpoint);
    if (this.#closed) throw new SessionError("Closed before it opened");
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: servers });
    this.#pc = pc;
    const { receiver } = pc.addTransceiver("video", { direction: "recvonly" });
    // Zero means "as little as the network allows"; Chromium only, ignored elsewhere.
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    pc.addEventListener("connectionstatechange", () => {
      if (pc.connectionState === "failed" || pc.connectionState === "closed") this.#lose("The WebRTC connection broke");
    });
    receiver.track.addEventListener("ended", () => this.#lose("The server ended the WebRTC session"));

    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    const { answer, location } = await post(this.#endpoint, pc.localDescription?.sdp ?? "");
    this.#location = location;
    // The session exists on the server from here on, whoever closed it here in the meantime.
    if (this.#closed) {
      this.#delete();
      throw new SessionError("Closed before it opened");
    }
    await pc.setRemoteDescription({ type: "answer", sdp: answer });
    return new MediaStream([receiver.track]);
  }

  /** @returns {Promise<RTCStatsReport | null>} */
  async stats() {
    return this.#closed || !this.#pc ? null : this.#pc.getStats();
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
    if (this.#location) end(this.#location);
    this.#location = null;
  }
}
