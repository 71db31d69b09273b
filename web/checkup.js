// @ts-check
// <camera-checkup>: a camera examined by the server's doctor: its progress, then what was found.

import { administration } from "./administration.js";
import { definitions, element } from "./details.js";
import { sentence } from "./readout.js";
import { cause, headline, measurements, still, told } from "./report.js";

/** @typedef {import("./report.js").Report} Report */
/** @typedef {import("./report.js").Finding} Finding */

/** The doctor says it takes nine seconds at the most. */
const LONGEST_S = 9;
const TICK_MS = 200;

export class CameraCheckup extends HTMLElement {
  #progress = /** @type {HTMLProgressElement} */ (element("progress", ""));
  #verdict = element("p", "verdict");
  #report = element("div", "report");
  /** @type {AbortController | null} */
  #running = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#progress.max = LONGEST_S;
    this.#progress.setAttribute("aria-label", "Watching the camera");
    this.#verdict.setAttribute("role", "status"); // there before its text, or it would not be read out
    this.append(this.#verdict, this.#progress, this.#report);
    this.clear();
  }

  disconnectedCallback() {
    this.clear();
  }

  get running() {
    return this.#running !== null;
  }

  /** Forgets what was found, and stops looking. */
  clear() {
    this.#running?.abort();
    this.#running = null;
    this.#progress.hidden = true;
    this.#verdict.textContent = "";
    delete this.#verdict.dataset.state;
    this.#report.replaceChildren();
  }

  /**
   * Examines the camera and shows what was found.
   *
   * @param {{ url: string } | { stream: string }} camera
   * @param {string} [token]
   * @returns {Promise<boolean>} false when clear() came first
   * @throws {import("./request.js").Refusal} when the server does not examine it
   */
  async examine(camera, token) {
    this.clear();
    const running = new AbortController();
    this.#running = running;
    const ended = this.#count(running.signal);
    try {
      const report = await administration.examine(camera, running.signal, token);
      if (!running.signal.aborted) this.#show(report);
    } catch (error) {
      if (running.signal.aborted) return false;
      this.clear();
      throw error;
    } finally {
      ended();
      if (this.#running === running) this.#running = null;
    }
    return !running.signal.aborted;
  }

  /**
   * Shows how far it is.
   *
   * @param {AbortSignal} signal
   * @returns {() => void} ends it
   */
  #count(signal) {
    const began = performance.now();
    this.#verdict.textContent = "Watching the camera for some seconds…";
    this.#progress.value = 0;
    this.#progress.hidden = false;
    const timer = setInterval(() => {
      this.#progress.value = Math.min(LONGEST_S, (performance.now() - began) / 1000);
    }, TICK_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    return () => clearInterval(timer);
  }

  /** @param {Report} report */
  #show(report) {
    const { title, state } = headline(report);
    this.#progress.hidden = true;
    this.#verdict.dataset.state = state;
    this.#verdict.replaceChildren(element("i", ""), title, ...(report.works ? [] : [word(report.verdict)]));
    const why = cause(report);
    this.#report.append(
      ...(why ? [element("p", "cause", why)] : []),
      ...picture(report),
      element("dl", "", ...definitions([...measurements(report), ...told(report)])),
      element("ul", "findings", ...report.findings.map(finding)),
    );
  }
}

/** @param {string} verdict */
function word(verdict) {
  return element("code", "word", verdict);
}

/** @param {Report} report */
function picture(report) {
  const url = still(report);
  if (!url) return [];
  const image = /** @type {HTMLImageElement} */ (element("img", ""));
  [image.src, image.alt] = [url, "The camera’s first picture"];
  return [image];
}

/** @param {Finding} found */
function finding({ weight, sentence: text, advice }) {
  const item = element("li", weight, element("b", "", sentence(text)));
  if (advice) item.append(" ", sentence(advice));
  return item;
}

customElements.define("camera-checkup", CameraCheckup);
