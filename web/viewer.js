// @ts-check
// <stream-viewer>: one stream's picture, state and figures. Give it a name and, once a second, its entry of the list.

import { chips, definitions, delayBar, delayRows, duration, element, seenRows, sightingRows } from "./details.js";
import { Player } from "./player.js";
import { Sightings } from "./sightings.js";
import { browserDelay } from "./stats.js";

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./feed.js").DetectionEvent} DetectionEvent */
/** @typedef {import("./stats.js").Measurement} Measurement */
/** @typedef {import("./details.js").DelayPart} DelayPart */

/** Scrolling past or switching tabs for a moment should not cost a new session. */
const GRACE_MS = 4000;

const STATES = { connecting: "Connecting", live: "Live", stale: "Stale", offline: "Offline", unknown: "No server" };
const TRANSPORTS = { none: "–", webrtc: "WebRTC", mjpeg: "MJPEG", stills: "Stills" };
const AGE_NOTE =
  "Age of the picture: from the frame's arrival at the server to leaving it with boxes drawn, " +
  "and with WebRTC also half the network round trip, the jitter buffer and decoding. " +
  "Not in it: the camera's own delay, its way to the server, and the screen.";

export class StreamViewer extends HTMLElement {
  /** @type {Stream | null} */
  #stream = null;
  #reachable = true;
  #inView = false;
  #graceTimer = 0;
  #secondTimer = 0;
  /** @type {Measurement | null} */
  #measurement = null;
  #sightings = new Sightings();
  #chipsKey = "";
  /** @type {DetectionEvent | null} */
  #lastEvent = null;
  #frameRate = 0;
  #counted = { frames: 0, at: 0 };
  /** @type {number | null} wall clock, ms */
  #lastPictureAt = null;
  /** @type {Player | null} */
  player = null;

  #observer = new IntersectionObserver(([entry]) => {
    this.#inView = entry.isIntersecting;
    this.#settle();
  }, { rootMargin: "80px" });
  #onvisibility = () => this.#settle();
  #onpagehide = () => this.player?.stop();

  connectedCallback() {
    if (!this.player) this.#build();
    this.#observer.observe(this);
    document.addEventListener("visibilitychange", this.#onvisibility);
    window.addEventListener("pagehide", this.#onpagehide);
    window.addEventListener("pageshow", this.#onvisibility);
    this.#secondTimer = window.setInterval(() => this.#everySecond(), 1000);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    document.removeEventListener("visibilitychange", this.#onvisibility);
    window.removeEventListener("pagehide", this.#onpagehide);
    window.removeEventListener("pageshow", this.#onvisibility);
    window.clearInterval(this.#secondTimer);
    window.clearTimeout(this.#graceTimer);
    this.#graceTimer = 0;
    this.player?.stop();
  }

  get name() {
    return this.getAttribute("name") ?? "";
  }

  get state() {
    return this.#reachable ? (this.#stream?.state ?? "connecting") : "unknown";
  }

  /** @param {Stream} stream */
  update(stream) {
    const back = !this.#reachable;
    this.#stream = stream;
    this.#reachable = true;
    if (back) this.player?.retry();
    this.#settle();
  }

  /** The list could not be fetched: what is known about the stream is out of date. */
  lose() {
    this.#reachable = false;
    this.#settle();
  }

  /** @param {DetectionEvent} event */
  detect(event) {
    this.#lastEvent = event;
    this.#sightings.add(event.detections, Date.now());
    this.#drawChips();
  }

  toggleFullscreen() {
    const screen = this.#find(".screen");
    const video = /** @type {any} */ (this.#find("video"));
    if (document.fullscreenElement) document.exitFullscreen();
    else if (screen.requestFullscreen) screen.requestFullscreen().catch(() => {});
    else video.webkitEnterFullscreen?.(); // iPhone knows only videos
  }

  #build() {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("stream-viewer"));
    this.append(template.content.cloneNode(true));
    const link = /** @type {HTMLAnchorElement} */ (this.#find(".name"));
    link.textContent = this.name;
    const path = encodeURIComponent(this.name);
    link.href = `#${path}`;
    const button = this.#find(".fullscreen");
    button.setAttribute("aria-label", `${this.name}: full screen`);
    button.addEventListener("click", () => this.toggleFullscreen());
    const video = /** @type {HTMLVideoElement} */ (this.#find("video"));
    video.muted = true; // the attribute is not enough on a cloned template
    this.#find(".metric-age").title = AGE_NOTE;
    this.player = new Player({
      video,
      canvas: /** @type {HTMLCanvasElement} */ (this.#find("canvas")),
      urls: { whep: `/whep/${path}`, mjpeg: `/streams/${path}.mjpeg`, still: `/api/streams/${path}/frame.jpg` },
      mjpegOnly: new URLSearchParams(location.search).get("transport") === "mjpeg",
      onchange: () => this.#draw(),
    });
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  /** Starts or stops the video by what is known now. */
  #settle() {
    const player = this.player;
    if (!player) return;
    const state = this.#stream?.state;
    player.expecting = state === "live" && this.#reachable;
    const watched = this.#inView && !document.hidden;
    if (state === "offline") player.stop();
    else if (watched && (state === "live" || state === "stale")) player.start();
    if (watched) {
      window.clearTimeout(this.#graceTimer);
      this.#graceTimer = 0;
    } else if (player.running && !this.#graceTimer) {
      this.#graceTimer = window.setTimeout(() => {
        this.#graceTimer = 0;
        player.stop();
      }, GRACE_MS);
    }
    this.#draw();
  }

  async #everySecond() {
    if (!this.player) return;
    this.#measurement = await this.player.measure();
    const at = performance.now();
    const frames = this.player.frames - this.#counted.frames;
    this.#frameRate = (frames * 1000) / (at - this.#counted.at);
    if (frames > 0) this.#lastPictureAt = Date.now();
    this.#counted = { frames: this.player.frames, at };
    this.#sightings.expire(Date.now());
    this.#drawChips();
    this.#draw();
  }

  #drawChips() {
    const key = this.#sightings.now.map(({ label, count }) => `${label} ${count}`).join();
    if (key === this.#chipsKey) return;
    this.#chipsKey = key;
    this.#find(".chips").replaceChildren(...chips(this.#sightings.now));
  }

  #draw() {
    if (!this.player) return;
    const transport = this.player.transport;
    this.dataset.state = this.state;
    this.dataset.transport = transport;
    const painted = "painted" in this.#find("canvas").dataset;
    this.toggleAttribute("data-picture", painted || transport !== "none");
    this.#find(".badge-text").textContent = STATES[this.state];
    this.#drawCover(transport === "none", painted);
    this.#find(".notice").textContent = this.#notice();
    this.#drawMetrics();
    if (this.classList.contains("focused")) this.#drawDetails();
  }

  /**
   * @param {boolean} silent
   * @param {boolean} painted
   */
  #drawCover(silent, painted) {
    const state = this.state;
    const reason = this.#stream?.reason ?? "";
    let title = "";
    if (state === "offline") title = "Offline";
    else if (state === "connecting") title = "Connecting to the camera";
    else if (state === "unknown" && silent) title = "The server does not answer";
    else if (silent && !painted) title = "Loading the video";
    const last = this.#lastPictureAt && state === "offline" ? new Date(this.#lastPictureAt) : null;
    const when = last ? ` Last picture at ${last.toLocaleTimeString([], { hour12: false })}.` : "";
    this.#find(".cover-title").textContent = title;
    this.#find(".cover-reason").textContent = title && state !== "unknown" ? sentence(reason) + when : "";
    this.#find(".cover").hidden = title === "";
  }

  #notice() {
    if (this.state === "stale") return sentence(this.#stream?.reason ?? "The detections are not up to date");
    if (this.player?.transport === "stills") return "Two pictures a second; open it for the full rate.";
    return "";
  }

  #drawMetrics() {
    const stream = this.#stream;
    const age = this.#age();
    const fps = this.#fps();
    const transport = this.player?.transport ?? "none";
    this.#metric("detections", number(stream?.detections_per_second, 1), "det/s", "Frames a second that the model answered");
    this.#metric("age", age === null ? null : duration(age).split(" ")[0], age === null ? "ms" : duration(age).split(" ")[1]);
    this.#metric("fps", fps === null ? null : fps.toFixed(fps < 9.5 ? 1 : 0), "fps", "Frames a second shown on this page");
    this.#metric("size", stream?.width && stream.height ? `${stream.width}×${stream.height}` : null, "", "Resolution");
    this.#metric("transport", transport === "none" ? null : TRANSPORTS[transport], "", this.player?.fallbackReason ?? "How the video comes here");
  }

  /**
   * @param {string} name
   * @param {string | null} value
   * @param {string} unit
   * @param {string} [title]
   */
  #metric(name, value, unit, title) {
    const item = this.#find(`.metric-${name}`);
    item.replaceChildren(element("b", "", value ?? "–"), ...(unit ? [` ${unit}`] : []));
    item.hidden = value === null && name !== "detections" && name !== "age";
    if (title) item.title = title;
  }

  #fps() {
    if (!this.player || this.player.transport === "none") return null;
    return this.#measurement?.fps ?? this.#frameRate;
  }

  /** @returns {DelayPart[]} the known parts of the picture's age, in the order of the way */
  #delay() {
    const stream = this.#stream;
    const server = stream?.picture_age_ms ?? stream?.age_ms;
    if (server === null || server === undefined || this.state === "offline") return [];
    const name = typeof stream?.picture_age_ms === "number" ? "Server: detect, draw, encode" : "Server: detect";
    const parts = [{ name, ms: server, kind: "server" }];
    const browser = browserDelay(this.#measurement);
    if (browser) {
      parts.push({ name: "Network, half the round trip", ms: browser.network, kind: "network" });
      parts.push({ name: "Jitter buffer", ms: browser.jitterBuffer, kind: "buffer" });
      parts.push({ name: "Decoding", ms: browser.decode, kind: "decode" });
    }
    return parts;
  }

  #age() {
    const parts = this.#delay();
    return parts.length ? parts.reduce((sum, { ms }) => sum + ms, 0) : null;
  }

  #drawDetails() {
    const stream = this.#stream;
    const age = this.#age();
    const fps = this.#fps();
    this.#find(".seen").replaceChildren(...seenRows(this.#sightings.now));
    this.#find(".delay-total").textContent = age === null ? "–" : duration(age);
    this.#find(".delay-bar").replaceChildren(...delayBar(this.#delay()));
    this.#find(".delay-parts").replaceChildren(...delayRows(this.#delay()));
    this.#find(".sightings").replaceChildren(...sightingRows(this.#sightings.list));
    const bitrate = this.#measurement?.bitrate;
    const model = stream?.model ?? this.#lastEvent?.model ?? null;
    const transport = this.player?.transport ?? "none";
    this.#find(".facts").replaceChildren(
      ...definitions([
        ["Frames", fps === null ? null : `${fps.toFixed(1)} fps here, ${number(stream?.fps, 1) ?? "?"} from the camera`],
        ["Detections", suffixed(number(stream?.detections_per_second, 1), " a second")],
        ["Answer age", typeof stream?.age_ms === "number" ? duration(stream.age_ms) : null],
        ["Resolution", stream?.width && stream.height ? `${stream.width} × ${stream.height}` : null],
        ["Transport", transport === "none" ? null : TRANSPORTS[transport] + (bitrate ? `, ${(bitrate / 1e6).toFixed(1)} Mbit/s` : "")],
        ["Why not WebRTC", transport === "webrtc" ? null : (this.player?.fallbackReason ?? null)],
        ["Model", model && this.#lastEvent ? `${model}, version ${this.#lastEvent.version}` : model],
        ["Viewers", stream?.viewers === undefined ? null : String(stream.viewers)],
      ]),
    );
  }
}

/**
 * @param {number | null | undefined} value
 * @param {number} digits
 */
function number(value, digits) {
  return typeof value === "number" ? value.toFixed(digits) : null;
}

/**
 * @param {string | null} value
 * @param {string} suffix
 */
function suffixed(value, suffix) {
  return value === null ? null : value + suffix;
}

/** @param {string} text */
function sentence(text) {
  return text === "" || /[.!?]$/.test(text) ? text : `${text}.`;
}

customElements.define("stream-viewer", StreamViewer);
