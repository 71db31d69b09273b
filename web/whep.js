// @ts-check
// One WHEP viewing session (draft-ietf-wish-whep): POST an offer, play the answer, DELETE the session. No DOM.

import { refusal } from "./problem.js";

/** The server has all candidates of ours in the offer (no trickle), so gathering may take at most this long. */
const GATHERING_MS = 1000;
const ANSWER_MS = 5000;

export class WhepError extends Error {
  /**
   * @param {string} message a sentence for the viewer
   * @param {number} [retryAfterS] seconds the server asked to wait
   */
  constructor(message, retryAfterS = 0) {
    super(message);
    this.name = "WhepError";
    this.retryAfterS = retryAfterS;
  }
}

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
   * @throws {WhepError} when the browser has no WebRTC, the server refuses, or close() was called meanwhile
   */
  async open() {
    if (typeof RTCPeerConnection === "undefined") throw new WhepError("This browser has no WebRTC");
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
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
    const answer = await this.#post(pc.localDescription?.sdp ?? "");
    // The session exists on the server from here on, whoever closed it here in the meantime.
    if (this.#closed) {
      this.#delete();
      throw new WhepError("Closed before it opened");
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

  /** @param {string} sdp */
  async #post(sdp) {
    const response = await fetch(this.#endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: sdp,
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch((error) => {
      throw new WhepError(
        error.name === "TimeoutError" ? "The server gave no WebRTC answer" : "The server is not reachable",
      );
    });
    if (response.status !== 201) {
      throw new WhepError(await refusal(response), Number(response.headers.get("Retry-After")) || 0);
    }
    const location = response.headers.get("Location");
    if (location) this.#location = new URL(location, response.url).href;
    return response.text();
  }

  /** @param {string} reason */
  #lose(reason) {
    if (this.#closed) return;
    this.close();
    this.#onlost(reason);
  }

  #delete() {
    if (!this.#location) return;
    // keepalive lets the request outlive the page; a session that cannot be deleted dies of ICE consent expiry.
    fetch(this.#location, { method: "DELETE", keepalive: true }).catch(() => {});
    this.#location = null;
  }
}

/**
 * Resolves when all candidates are known or GATHERING_MS have passed.
 *
 * @param {RTCPeerConnection} pc
 */
async function gathered(pc) {
  if (pc.iceGatheringState === "complete") return;
  await new Promise((resolve) => {
    setTimeout(resolve, GATHERING_MS);
    pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && resolve(null));
  });
}
