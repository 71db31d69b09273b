// @ts-check
// Live video as the camera sends it, decoded and painted in a worker (WebCodecs), its boxes drawn here.

import { socketUrl } from "./clean_socket.js";
import { OwnCanvas } from "./own_canvas.js";
import { PaintedReports } from "./painted.js";

/** @typedef {import("./clean_worker.js").News} News */
/** @typedef {import("./clean_worker.js").Order} Order */
/** @typedef {import("./clean_worker.js").State} State */
/** @typedef {import("./player.js").Heard} Heard */
/** @typedef {import("./player.js").Way} Way */
/** @typedef {import("./sight.js").Sight} Sight */

/** @implements {Way} */
export class WebCodecsWay {
  /** @type {import("./player.js").Transport} */
  transport = "webcodecs";
  name = "WebCodecs";
  /** @type {State | null} */
  state = null;
  #path;
  #sight;
  #video;
  #heard;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {OwnCanvas | null} */
  #canvas = null;
  #isOpen = false;
  #closing = new AbortController();
  /** @type {PaintedReports | null} */
  #reports = null;
  /** @type {Map<number, (blob: Blob | null) => void>} */
  #stills = new Map();

  /**
   * @param {string} path of the stream's own video
   * @param {HTMLElement} video over which it lies
   * @param {Sight} sight
   * @param {Heard} heard
   */
  constructor(path, video, sight, heard) {
    this.#path = path;
    this.#video = video;
    this.#sight = sight;
    this.#heard = heard;
  }

  /** Whether this browser can at all, on this page: why not, a sentence; "" where it can. */
  static get impossible() {
    if (!window.isSecureContext)
      return "This page came by plain http: over https the browser would decode the camera’s own video itself, and show it some 40 ms sooner";
    const has = "VideoDecoder" in window && "OffscreenCanvas" in window && "Worker" in window;
    return has ? "" : "This browser has no WebCodecs";
  }

  picture = null;

  get shown() {
    return this.#canvas?.shown ?? false;
  }

  set shown(shown) {
    if (this.#canvas) this.#canvas.shown = shown;
  }

  open() {
    this.#end();
    this.#isOpen = true;
    if (!this.#worker) this.#build();
    const { small, watching } = this.#sight;
    this.#order({ do: "open", url: socketUrl(this.#path), exact: watching.exact, small });
  }

  /** @param {boolean} paused nobody looks: nothing is sent or decoded, and the connection stays */
  pause(paused) {
    if (this.#isOpen) this.#order({ do: "pause", paused });
  }

  close() {
    this.#end();
    if (this.#worker) this.#order({ do: "close" });
  }

  /** Lets go of the worker too; what it painted goes with it. */
  end() {
    this.#end();
    this.#worker?.terminate();
    this.#worker = null;
    for (const answer of this.#stills.values()) answer(null);
    this.#stills.clear();
    this.#canvas?.end();
    this.#canvas = null;
  }

  async measure() {
    return null;
  }

  /** @returns {Promise<Blob | null>} what is seen */
  still() {
    if (!this.#worker) return Promise.resolve(null);
    return new Promise((resolve) => {
      const of = this.#stills.size === 0 ? 1 : Math.max(...this.#stills.keys()) + 1;
      this.#stills.set(of, resolve);
      this.#order({ do: "still", of });
    });
  }

  #end() {
    this.#isOpen = false;
    this.#closing.abort();
    [this.#closing, this.#reports] = [new AbortController(), null];
  }

  #build() {
    const worker = (this.#worker = new Worker(new URL("./clean_worker.js", import.meta.url), { type: "module" }));
    worker.onmessage = ({ data }) => this.#hear(data);
    worker.onerror = ({ message }) => {
      const wasOpen = this.#isOpen;
      this.end(); // the next one is another
      const reason = "The browser does not run the page’s decoder";
      if (wasOpen) this.#heard.onfail(message ? `${reason}: ${message}` : reason, { lasting: !message });
    };
    const own = (this.#canvas = new OwnCanvas(this.#video, this.#sight, (order) => worker.postMessage(order)));
    const canvas = own.element.transferControlToOffscreen();
    worker.postMessage({ do: "canvas", canvas }, [canvas]);
    own.begin();
  }

  /** @param {Order} order */
  #order(order) {
    this.#worker?.postMessage(order);
  }

  /** @param {News} news */
  #hear(news) {
    if (news.say === "still") {
      this.#stills.get(news.of)?.(news.blob);
      this.#stills.delete(news.of);
    }
    if (!this.#isOpen) return; // what it said before it was closed
    if (news.say === "failed") {
      this.#end();
      this.#heard.onfail(news.reason, { lasting: news.lasting });
    } else if (news.say === "viewer") {
      this.#reports = new PaintedReports(`${this.#path}/${news.viewer}/painted`, this.#closing.signal);
    } else if (news.say === "painted") {
      this.state = news.state;
      this.#heard.onframe(news.painted.length);
      const origin = performance.timeOrigin;
      for (const { time, came, at, exact, live } of news.painted) {
        this.#heard.onpainted(time, came - origin, at - origin, exact);
        if (live) this.#reports?.add(time, came - origin, at - origin);
      }
    }
  }
}
