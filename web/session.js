// @ts-check
// One WebRTC session over HTTP, as WHEP and WHIP both have it: offer, answer, end. No DOM.

import { SessionError, end, gathered, post, trickle } from "./signalling.js";

/** The server ends a session after ten seconds of silence, and a browser takes seven and a half to call it that. */
const DISCONNECTED_MS = 3000;

export class Session {
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  /** @type {string | null} */
  #location = null;
  /** Ends every listener with the session: Chromium keeps some connections that were closed while they gathered. */
  #closing = new AbortController();
  #patience = 0;
  #endpoint;
  #onlost;
  #token;

  /**
   * @param {string} endpoint WHEP or WHIP endpoint URL
   * @param {(reason: string) => void} onlost called once when an open session breaks
   * @param {string} [token] the server's, where it asks for one
   */
  constructor(endpoint, onlost, token) {
    this.#endpoint = endpoint;
    this.#onlost = onlost;
    this.#token = token;
  }

  /**
   * Makes the connection. One that cannot be made leaves nothing behind, here or on the server.
   *
   * @param {(pc: RTCPeerConnection) => void} configure adds what is sent or received
   * @param {(answer: string) => string} [adapt] changes the server's answer before it is taken
   * @throws {SessionError} when the browser has no WebRTC, the server refuses, or close() was called meanwhile
   */
  async connect(configure, adapt = (answer) => answer) {
    if (typeof RTCPeerConnection === "undefined") throw new SessionError("This browser has no WebRTC");
    try {
      await this.#negotiate(configure, adapt);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Aborted when the session is closed. */
  get closing() {
    return this.#closing.signal;
  }

  /** Where it is on the server; null before it is there, and when it is over. */
  get location() {
    return this.#location;
  }

  /** @returns {Promise<RTCStatsReport | null>} */
  async stats() {
    return this.closing.aborted || !this.#pc ? null : this.#pc.getStats();
  }

  /** Ends the session here and on the server; may be called twice and while a page is being left. */
  close() {
    if (this.closing.aborted) return;
    this.#closing.abort();
    clearTimeout(this.#patience);
    const pc = this.#pc;
    // In this order: the server ends a session by itself once its connection closes, and would know it no more.
    this.#delete().finally(() => pc?.close());
  }

  /** @param {string} reason */
  lose(reason) {
    if (this.closing.aborted) return;
    this.close();
    this.#onlost(reason);
  }

  /**
   * @param {(pc: RTCPeerConnection) => void} configure
   * @param {(answer: string) => string} adapt
   */
  async #negotiate(configure, adapt) {
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.#pc = pc;
    pc.addEventListener("connectionstatechange", () => this.#follow(pc.connectionState), { signal: this.closing });
    configure(pc);
    const offer = await pc.createOffer();
    // Before a candidate is gathered: the servers for that come with the answer (RFC 9725, section 4.6).
    const { answer, location, etag, servers } = await post(this.#endpoint, offer.sdp ?? "", this.#token);
    this.#location = location;
    if (this.closing.aborted) this.#delete(); // it exists on the server from here on, whoever closed it meanwhile
    this.#requireOpen();
    if (servers.length > 0) pc.setConfiguration({ ...pc.getConfiguration(), iceServers: servers });
    await pc.setLocalDescription(offer);
    await pc.setRemoteDescription({ type: "answer", sdp: adapt(answer) });
    this.#tell(pc, etag);
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {string} etag
   */
  async #tell(pc, etag) {
    await gathered(pc, this.closing);
    if (this.#location && pc.connectionState !== "connected") {
      trickle(this.#location, etag, pc.localDescription?.sdp ?? "", this.#token);
    }
  }

  #requireOpen() {
    if (this.closing.aborted) throw new SessionError("Closed before it opened");
  }

  /** @param {RTCPeerConnectionState} state */
  #follow(state) {
    clearTimeout(this.#patience);
    const lose = () => this.lose("The WebRTC connection broke");
    if (state === "failed" || state === "closed") lose();
    else if (state === "disconnected") this.#patience = setTimeout(lose, DISCONNECTED_MS);
  }

  async #delete() {
    const location = this.#location;
    this.#location = null;
    if (location) await end(location, this.#token);
  }
}
