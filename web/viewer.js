// @ts-check
// <stream-viewer>: one stream's picture, state and figures. Give it a name and, once a second, its entry of the list.

import { administration } from "./administration.js";
import { StreamControls, mayPause } from "./controls.js";
import { cover } from "./cover.js";
import { chips, definitions, delayBar, delayLine, delayRows, figure, seenRows, sightingRows } from "./details.js";
import { askDoctor } from "./doctor.js";
import { Player } from "./player.js";
import { RecordMode } from "./record_mode.js";
import { STATES, ageNote, delayParts, facts, metrics, sentence, shortfall, totalDelay, whyLarge } from "./readout.js";
import { address } from "./search.js";
import { copyPicture, savePicture } from "./seen_picture.js";
import { Sight } from "./sight.js";
import "./silence_sign.js";
import "./stream_silence.js";
import { Sightings } from "./sightings.js";
import { StreamPlaces } from "./stream_places.js";
import { visitor } from "./visitor.js";
import { ViewChoice } from "./view_choice.js";
import { watching } from "./watching.js";
import { ZoomGestures } from "./zoom_gestures.js";
import { zonesOf } from "./zones.js";

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./feed.js").DetectionEvent} DetectionEvent */
/** @typedef {import("./stats.js").Measurement} Measurement */
/** @typedef {HTMLVideoElement & { webkitEnterFullscreen?: () => void }} IPhoneVideo the only element it shows full screen */

/** Scrolling past or switching tabs for a moment should not cost a new session, nor words about it. */
const GRACE_MS = 4000;
const REST_AFTER_MS = 1500;
/** A way that rests costs the server a seat, which others may need while nobody looks at the page. */
const REST_MS = 300_000;
const HIDDEN_REST_MS = 20_000;

/** A refusal is read by then, and may not be true any more. */
const REFUSAL_MS = 20_000;

/** Pixels of the page in width, up to which a tile shows as much of a camera's smaller video as of its large one. */
const SMALL = 960;

/** The small video takes a moment to come, up to its next key picture, of which there is nothing to say. */
const LARGE_MS = 5000;

/** So that the line does not jump while a stream starts. */
const ALWAYS_SHOWN = new Set(["detections", "age"]);

export class StreamViewer extends HTMLElement {
  /** @type {Stream | null} */
  #stream = null;
  #reachable = true;
  #inView = false;
  #graceTimer = 0;
  /** Since when nobody looks, of `performance`; 0 while somebody does. */
  #unseenAt = 0;
  #secondTimer = 0;
  #refusalTimer = 0;
  /** @type {Measurement | null} */
  #measurement = null;
  #sightings = new Sightings();
  #chipsKey = "";
  /** @type {DetectionEvent | null} */
  #lastEvent = null;
  #frameRate = 0;
  #counted = { frames: 0, at: 0 };
  /** Since when it has the large video where the small one would do, of `performance`; 0 while it has not. */
  #largeAt = 0;
  /** @type {number | null} wall clock, ms */
  #lastPictureAt = null;
  /** @type {Player | null} */
  player = null;
  #sight = new Sight(this);
  /** @type {ZoomGestures | null} */
  #zoom = null;

  #observer = new IntersectionObserver(
    (entries) => {
      this.#inView = entries.at(-1)?.isIntersecting ?? false;
      this.#settle();
    },
    { rootMargin: "80px" },
  );
  #sized = false;
  #resized = new ResizeObserver(() => this.#size());
  #onvisibility = () => {
    this.#unseenAt = 0; // counted from now
    this.#settle();
  };
  #onwatching = () => this.#choose();
  #onpagehide = () => this.player?.stop();

  connectedCallback() {
    if (!this.player) this.#build();
    this.#observer.observe(this);
    this.#resized.observe(this);
    document.addEventListener("visibilitychange", this.#onvisibility);
    window.addEventListener("pagehide", this.#onpagehide);
    window.addEventListener("pageshow", this.#onvisibility);
    watching.addEventListener("change", this.#onwatching);
    this.#sight.begin();
    this.#secondTimer = window.setInterval(() => this.#everySecond(), 1000);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    this.#resized.disconnect();
    document.removeEventListener("visibilitychange", this.#onvisibility);
    window.removeEventListener("pagehide", this.#onpagehide);
    window.removeEventListener("pageshow", this.#onvisibility);
    watching.removeEventListener("change", this.#onwatching);
    this.#sight.end();
    window.clearInterval(this.#secondTimer);
    window.clearTimeout(this.#graceTimer);
    window.clearTimeout(this.#refusalTimer);
    this.#unseenAt = 0;
    this.player?.end();
  }

  get name() {
    return this.getAttribute("name") ?? "";
  }

  /** Whether it is the one that is looked at: large on the page, or on the whole screen. */
  get isLarge() {
    return this.classList.contains("focused") || document.fullscreenElement === this;
  }

  get state() {
    return this.#reachable ? (this.#stream?.state ?? "connecting") : "unknown";
  }

  /** @param {Stream} stream */
  update(stream) {
    const back = !this.#reachable;
    const { replica = null } = this.#stream ?? {};
    if (replica && stream.replica && stream.replica !== replica) this.player?.stop(); // it begins anew at the new one
    this.#stream = stream;
    this.#sightings.findings = this.#sight.findings = stream.findings ?? [];
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
    const video = /** @type {IPhoneVideo} */ (this.#find("video"));
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.requestFullscreen) this.requestFullscreen().catch(() => {});
    else video.webkitEnterFullscreen?.();
  }

  /**
   * @param {string} key
   * @returns {boolean} whether it means something for the picture
   */
  press(key) {
    const { boxes, labels, exact } = watching.choices;
    if (key === "b") watching.change({ boxes: !boxes });
    else if (key === "l") watching.change({ labels: !labels });
    else if (key === "e") watching.change({ exact: !exact });
    else if (key === "s") this.#still("save");
    else return this.#zoom?.press(key) ?? false;
    return true;
  }

  #build() {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("stream-viewer"));
    const parts = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    for (const part of parts.querySelectorAll("silence-sign, stream-silence")) part.setAttribute("stream", this.name);
    this.append(parts);
    const link = /** @type {HTMLAnchorElement} */ (this.#find(".name"));
    link.textContent = this.name;
    const path = encodeURIComponent(this.name);
    link.href = `#${path}`;
    const kept = /** @type {HTMLAnchorElement} */ (this.#find(".to-kept"));
    kept.href = address({ stream: this.name });
    /** @type {HTMLAnchorElement} */ (this.#find(".to-zones")).href = zonesOf(this.name);
    this.#find("video").after(this.#places.overlay);
    const button = this.#find(".fullscreen");
    button.setAttribute("aria-label", `${this.name}: full screen`);
    button.addEventListener("click", () => this.toggleFullscreen());
    this.#find(".resume").setAttribute("aria-label", `${this.name}: resume`);
    this.#find(".doctor").setAttribute("aria-label", `${this.name}: ask the doctor`);
    this.#find(".resume").addEventListener("click", () => this.#controls.setPaused(false));
    this.#find(".doctor").addEventListener("click", () => this.#stream && askDoctor(this.#stream));
    this.#choice.addEventListener("still", (event) => this.#still(/** @type {CustomEvent} */ (event).detail));
    this.#zoom = new ZoomGestures(this.#find(".screen"), this.#sight, {
      isOn: () => this.isLarge,
      size: () => ({ width: this.#stream?.width || 16, height: this.#stream?.height || 9 }),
    });
    this.addEventListener("refused", (event) => this.#refuse(/** @type {CustomEvent<string>} */ (event).detail));
    const video = /** @type {HTMLVideoElement} */ (this.#find("video"));
    video.muted = true; // the attribute is not enough on a cloned template
    this.player = new Player({
      video,
      canvas: /** @type {HTMLCanvasElement} */ (this.#find("canvas")),
      sight: this.#sight,
      urls: {
        clean: `api/streams/${path}/video`,
        whep: `whep/${path}`,
        mjpeg: `streams/${path}.mjpeg`,
        still: `api/streams/${path}/frame.jpg`,
      },
      onchange: () => this.#draw(),
    });
    this.#choose();
  }

  /** By which way the video is to come: what the address says, else what who watches has chosen. */
  #choose() {
    const asked = new URLSearchParams(location.search).get("transport");
    if (this.player)
      this.player.choice = /** @type {import("./watching.js").WayChoice} */ (asked ?? watching.choices.way);
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  get #controls() {
    return /** @type {StreamControls} */ (this.#find("stream-controls"));
  }

  get #places() {
    return /** @type {StreamPlaces} */ (this.#find("stream-places"));
  }

  get #choice() {
    return /** @type {ViewChoice} */ (this.#find("view-choice"));
  }

  get #recording() {
    return /** @type {RecordMode} */ (this.#find("record-mode"));
  }

  /** @param {"copy" | "save"} what is done with what is seen */
  #still(what) {
    const picture = this.player?.still() ?? Promise.resolve(null);
    const done = what === "copy" ? copyPicture(picture) : savePicture(picture, this.name);
    this.#refuse("");
    done.catch((error) => this.#refuse(/** @type {Error} */ (error).message));
  }

  /** @param {string} text why what was asked is not done; "" when something is asked again */
  #refuse(text) {
    window.clearTimeout(this.#refusalTimer);
    this.#find(".refused").textContent = text;
    if (text) this.#refusalTimer = window.setTimeout(() => this.#refuse(""), REFUSAL_MS);
  }

  /** Starts or stops the video by what is known now. */
  #settle() {
    const player = this.player;
    if (!player) return;
    const state = this.#stream?.state;
    player.expecting = state === "live";
    const watched = this.#inView && !document.hidden;
    // What has had no picture is not asked for one: the refusal would stand on the console as an error of the page.
    const pictured = typeof this.#stream?.width === "number";
    if (state === "offline" || state === "paused" || state === "moving") {
      player.stop();
      if (pictured) player.showStill();
    }
    if (watched && pictured && (state === "live" || state === "stale")) player.start();
    window.clearTimeout(this.#graceTimer);
    if (watched) this.#unseenAt = 0;
    else if (player.running) this.#withdraw(player, performance.now());
    this.#draw();
  }

  /** Nobody looks: after a while the video rests where it can, and in the end its place is given up.
   * @param {Player} player
   * @param {number} now
   */
  #withdraw(player, now) {
    this.#unseenAt ||= now;
    const unseen = now - this.#unseenAt;
    let until = REST_AFTER_MS;
    if (unseen >= until) until = !player.rest() ? GRACE_MS : document.hidden ? HIDDEN_REST_MS : REST_MS;
    if (unseen >= until) player.stop();
    else this.#graceTimer = window.setTimeout(() => this.#settle(), until - unseen);
  }

  async #everySecond() {
    this.#size(true);
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

  /** Tells how large it is seen. Hidden it has no size, and keeps what it had.
   * @param {boolean} [settled] whether it has been so for a moment, that whoever looks through all is not sent small ones
   */
  #size(settled = false) {
    const { clientWidth } = this;
    const small = !this.isLarge && clientWidth < SMALL;
    if (clientWidth === 0 || !(settled || !small || !this.#sized)) return;
    if (small !== this.#sight.small && this.#stream?.sub) this.player?.retry(); // the other video may come by a better way
    [this.#sight.small, this.#sized] = [small, true];
  }

  #drawChips() {
    const key = this.#sightings.now.map(({ label, count, finding }) => `${label} ${count} ${finding}`).join();
    if (key === this.#chipsKey) return;
    this.#chipsKey = key;
    this.#find(".chips").replaceChildren(...chips(this.#sightings.now));
  }

  #draw() {
    if (!this.player) return;
    const transport = this.player.transport;
    this.dataset.state = this.state;
    this.dataset.transport = transport;
    const { painted } = this.player;
    this.toggleAttribute("data-picture", painted || transport !== "none");
    this.#find(".badge-text").textContent = STATES[this.state];
    this.#find(".name").setAttribute("aria-label", `${this.name}, ${STATES[this.state]}`);
    this.#drawCover(transport === "none", painted);
    this.#find(".notice").textContent = this.#notice();
    this.#find(".shortfall").textContent = this.state === "live" ? shortfall(this.#stream) : "";
    this.#find(".shortfall").hidden = this.#find(".shortfall").textContent === "";
    this.#drawMetrics();
    delayLine(this.#find(".delay-line"), delayParts(this.#known()));
    this.#controls.update(this.#reachable ? this.#stream : null);
    this.#recording.update(this.#reachable ? this.#stream : null);
    this.#zoom?.settle();
    if (this.isLarge) this.#drawDetails();
  }

  /**
   * @param {boolean} silent no video is coming
   * @param {boolean} painted there is a last picture
   */
  #drawCover(silent, painted) {
    const [state, stream, lastPictureAt] = [this.state, this.#stream, this.#lastPictureAt];
    const failure = this.player?.failure ?? null;
    const { title, text, word } = cover({ state, stream, silent, painted, failure, lastPictureAt });
    this.#find(".cover-title").textContent = title;
    this.#find(".cover-reason").textContent = text;
    this.#find(".cover-error").textContent = word;
    this.#find(".cover-error").hidden = word === "";
    this.#find(".resume").hidden = state !== "paused" || !mayPause(stream);
    this.#find(".doctor").hidden =
      state !== "offline" || stream?.origin === "publisher" || !(administration.allowed || visitor.offered("operate"));
    this.#find(".cover").hidden = title === "";
  }

  #notice() {
    if (this.player?.forbidden) return `Not by WebRTC: ${sentence(this.player.fallbackReason ?? "")}`;
    if (this.state === "stale") return sentence(this.#stream?.reason ?? "The detections are not up to date");
    if (this.player?.transport === "stills") return "Two pictures a second; all when opened";
    if (this.player?.state?.late) return "The boxes come later than their pictures";
    return this.#largeNotice(performance.now());
  }

  /** @param {number} now */
  #largeNotice(now) {
    const why = this.#sight.small ? whyLarge(this.#stream, this.player?.state ?? null) : "";
    this.#largeAt = why ? this.#largeAt || now : 0;
    return now - this.#largeAt > LARGE_MS ? why : "";
  }

  /** @returns {import("./readout.js").Knowledge} */
  #known() {
    const transport = this.player?.transport ?? "none";
    return {
      stream: this.#stream,
      measurement: this.#measurement,
      transport,
      fallbackReason: this.player?.fallbackReason ?? null,
      fps: transport === "none" ? null : (this.#measurement?.fps ?? this.#frameRate),
      version: this.#lastEvent?.version ?? null,
      own: this.player?.state ?? null,
    };
  }

  #drawMetrics() {
    for (const [name, metric] of Object.entries(metrics(this.#known()))) {
      const item = this.#find(`.metric-${name}`);
      item.replaceChildren(...figure(metric));
      item.title = metric.title;
      item.hidden = metric.value === null && !ALWAYS_SHOWN.has(name);
    }
  }

  #drawDetails() {
    const known = this.#known();
    this.#choice.update(known.own !== null, this.#sightings.now);
    const parts = delayParts(known);
    this.#find(".seen").replaceChildren(...seenRows(this.#sightings.now));
    this.#find(".delay").hidden = parts.length === 0;
    this.#find(".delay-total").textContent = totalDelay(parts) ?? "–";
    this.#find(".delay-bar").replaceChildren(...delayBar(parts));
    this.#find(".delay-parts").replaceChildren(...delayRows(parts));
    this.#find(".delay-note").textContent = ageNote(known);
    this.#find(".sightings").replaceChildren(...sightingRows(this.#sightings.list));
    const draws = visitor.offered("operate") || administration.allowed;
    this.#find(".to-zones").textContent = draws ? "Draw them" : "What each asks for";
    this.#places.update(this.#reachable ? this.#stream : null);
    this.#find(".facts").replaceChildren(...definitions(facts(known)));
  }
}

customElements.define("stream-viewer", StreamViewer);
