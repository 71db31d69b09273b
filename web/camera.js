// @ts-check
// <camera-panel>: this device's camera published as a stream (WHIP), and beside it what the detector makes of it.

import { device, explain, freeName } from "./device.js";
import { sentence } from "./readout.js";
import { SessionError } from "./signalling.js";
import { StreamViewer } from "./viewer.js";
import { visitor } from "./visitor.js";
import { WhipSession } from "./whip.js";

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./feed.js").DetectionEvent} DetectionEvent */
/** @typedef {"idle" | "asking" | "publishing" | "retrying"} State */

const STATES = { idle: "Off", asking: "Starting", publishing: "Sending", retrying: "Connecting again" };
const RETRY_MS = [1000, 2000, 4000];
const LONGEST_RETRY_MS = 5000;
const WANTED = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

export class CameraPanel extends HTMLElement {
  /** @type {State} */
  #state = "idle";
  /** @type {string[]} patterns of the names that may be published; empty: none */
  #names = [];
  #tokenAsked = false;
  /** @type {Set<string>} names of the streams there are */
  #taken = new Set();
  #named = false;
  /** @type {MediaStream | null} */
  #media = null;
  /** @type {WhipSession | null} */
  #session = null;
  /** @type {StreamViewer | null} */
  #result = null;
  /** Which start is the one that counts: a camera may be given after it was stopped, and started, again. */
  #attempt = 0;
  #failures = 0;
  #retryTimer = 0;
  /** @type {WakeLockSentinel | null} */
  #wakeLock = null;

  #build() {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("camera-panel"));
    this.append(template.content.cloneNode(true));
    this.#video.muted = true; // the attribute is not enough on a cloned template
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#state === "idle") this.#start();
      else this.stop();
    });
    this.#name.addEventListener("input", () => (this.#named = true));
    this.#cameras.addEventListener("change", () => this.#change());
    this.#video.addEventListener("resize", () => {
      const { videoWidth, videoHeight } = this.#video;
      if (videoHeight > 0) this.style.setProperty("--shape", `${videoWidth} / ${videoHeight}`);
    });
    window.addEventListener("pagehide", () => this.stop());
    document.addEventListener("visibilitychange", () => this.#keepAwake());
    this.#draw();
  }

  /** Asks the server who may publish; dispatches "ready" when that is known. May be asked again. */
  async ask() {
    try {
      const response = await fetch("api/ingress", { cache: "no-store" });
      if (!response.ok) return;
      /** @type {{ names: string[], token: boolean }} */
      const { names, token } = await response.json();
      [this.#names, this.#tokenAsked] = [names, token];
    } catch {
      return; // no server: nothing is offered
    }
    if (this.offered && this.childElementCount === 0) this.#build();
    else if (this.offered) this.#draw();
    if (this.offered) this.#propose(); // at once: without a name Start does nothing
    this.dispatchEvent(new Event("ready"));
  }

  /** Whether this page may publish; before that there is nothing here. */
  get offered() {
    return this.#names.length > 0 && visitor.offered("publish", this.#tokenAsked);
  }

  get publishing() {
    return this.#state !== "idle";
  }

  /** @param {Stream[]} streams */
  update(streams) {
    this.#taken = new Set(streams.map(({ name }) => name));
    if (this.childElementCount === 0) return;
    this.#propose();
    const own = streams.find(({ name }) => name === this.#name.value);
    if (own && this.publishing && !this.#result) this.#showResult(own.name);
    if (own) this.#result?.update(own);
    else if (this.#result) this.#hideResult();
  }

  /** @param {DetectionEvent} event */
  detect(event) {
    if (event.stream === this.#result?.name) this.#result.detect(event);
  }

  lose() {
    this.#result?.lose();
  }

  /** Ends it on both ends; may be called twice. */
  stop() {
    window.clearTimeout(this.#retryTimer);
    this.#session?.close();
    this.#session = null;
    this.#attempt++;
    stopTracks(this.#media);
    this.#media = null;
    this.#video.srcObject = null;
    this.#hideResult();
    this.#become("idle");
  }

  // ---- the parts

  get #form() {
    return /** @type {HTMLFormElement} */ (this.#find("form"));
  }
  get #name() {
    return /** @type {HTMLInputElement} */ (this.#find("[name=stream]"));
  }
  get #token() {
    return /** @type {HTMLInputElement} */ (this.#find("[name=token]"));
  }
  get #cameras() {
    return /** @type {HTMLSelectElement} */ (this.#find("[name=camera]"));
  }
  get #video() {
    return /** @type {HTMLVideoElement} */ (this.#find(".own video"));
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  // ---- publishing

  async #start() {
    const attempt = ++this.#attempt;
    this.#become("asking");
    this.#say("");
    try {
      await this.#openCamera();
      if (attempt === this.#attempt) await this.#publish();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.stop();
      this.#say(explain(/** @type {Error} */ (error)));
      if (error instanceof SessionError && error.status === 401) this.#token.focus();
    }
  }

  /** @param {string} [deviceId] which of several; left out: the one that looks away from the user */
  async #openCamera(deviceId) {
    const attempt = this.#attempt;
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: "environment" } };
    const media = await navigator.mediaDevices.getUserMedia({ video: { ...WANTED, ...which }, audio: false });
    if (attempt !== this.#attempt) return stopTracks(media);
    stopTracks(this.#media);
    this.#media = media;
    const [track] = media.getVideoTracks();
    track?.addEventListener("ended", () => {
      if (this.#media !== media) return;
      this.stop();
      this.#say("The camera was taken away.");
    });
    this.#video.srcObject = media;
    await this.#video.play().catch(() => {});
    await this.#listCameras(track?.getSettings().deviceId);
  }

  /** @param {string | undefined} current */
  async #listCameras(current) {
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
    this.#cameras.replaceChildren(
      ...cameras.map(({ deviceId, label }, index) => {
        const option = document.createElement("option");
        [option.value, option.textContent] = [deviceId, label || `Camera ${index + 1}`];
        option.selected = deviceId === current;
        return option;
      }),
    );
    /** @type {HTMLElement} */ (this.#cameras.closest("label")).hidden = cameras.length < 2;
  }

  async #change() {
    const attempt = this.#attempt;
    this.#say("");
    stopTracks(this.#media); // first: many a phone opens one camera at a time
    try {
      await this.#openCamera(this.#cameras.value);
      const [track] = this.#media?.getVideoTracks() ?? [];
      if (track && attempt === this.#attempt) await this.#session?.replace(track);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.stop();
      this.#say(explain(/** @type {Error} */ (error)));
    }
  }

  async #publish() {
    const [track] = this.#media?.getVideoTracks() ?? [];
    if (!track) return;
    const endpoint = `whip/${encodeURIComponent(this.#name.value)}`;
    const session = new WhipSession(endpoint, () => this.#retry(), this.#token.value || undefined);
    this.#session = session;
    await session.publish(track);
    if (this.#session !== session) return;
    this.#failures = 0;
    this.#say("");
    this.#become("publishing");
  }

  /** The connection broke, as when a phone changes its network: publish again, until it works or is stopped. */
  #retry() {
    if (!this.publishing) return;
    const attempt = this.#attempt;
    this.#become("retrying");
    const pause = RETRY_MS[this.#failures++] ?? LONGEST_RETRY_MS;
    this.#retryTimer = window.setTimeout(async () => {
      try {
        await this.#publish();
      } catch (error) {
        if (attempt !== this.#attempt) return;
        const forbidden = error instanceof SessionError && (error.status === 401 || error.status === 403);
        if (forbidden) this.stop();
        this.#say(explain(/** @type {Error} */ (error)));
        this.#retry(); // nothing, where it was stopped
      }
    }, pause);
  }

  /** A phone that dims its screen would stop its camera. */
  async #keepAwake() {
    if (this.#state !== "publishing") {
      this.#wakeLock?.release().catch(() => {});
      this.#wakeLock = null;
    } else if (!document.hidden && "wakeLock" in navigator) {
      const lock = await navigator.wakeLock.request("screen").catch(() => null);
      if (this.#state === "publishing") this.#wakeLock = lock;
      else lock?.release().catch(() => {}); // it was stopped meanwhile
    }
  }

  // ---- showing

  #propose() {
    if (!this.publishing && !this.#named) this.#name.value = freeName(this.#names, this.#taken);
  }

  /** @param {string} name */
  #showResult(name) {
    this.#result = /** @type {StreamViewer} */ (document.createElement("stream-viewer"));
    this.#result.setAttribute("name", name);
    this.#find(".result").append(this.#result);
  }

  #hideResult() {
    this.#result?.remove();
    this.#result = null;
  }

  /** @param {string} text */
  #say(text) {
    this.#find(".problem").textContent = sentence(text);
  }

  /** @param {State} state */
  #become(state) {
    this.#state = state;
    this.#keepAwake();
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  #draw() {
    this.dataset.state = this.#state;
    const secure = window.isSecureContext && "mediaDevices" in navigator;
    this.#form.hidden = !secure;
    this.#find(".insecure").hidden = secure;
    this.#find(".own .cover").hidden = this.#media !== null;
    this.#name.disabled = this.#token.disabled = this.publishing;
    /** @type {HTMLElement} */ (this.#token.closest("label")).hidden =
      !this.#tokenAsked || visitor.may("publish") || this.publishing;
    this.#find(".start").textContent = this.publishing ? "Stop" : "Start";
    this.#find(".own .sending").textContent = STATES[this.#state];
    this.#find(".own .device").textContent = `This ${device()}`;
  }
}

/** @param {MediaStream | null} media */
function stopTracks(media) {
  media?.getTracks().forEach((track) => track.stop());
}

customElements.define("camera-panel", CameraPanel);
