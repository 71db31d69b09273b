// @ts-check
// Whether the server's streams may be changed from here, and the requests that do it: docs/api.md. No DOM.

import { refusal } from "./problem.js";
import { sentence } from "./readout.js";
import { authorization } from "./signalling.js";

/** The server may ask a name server, or wait for a camera's socket to close. */
const ANSWER_MS = 15_000;

export class Refusal extends Error {
  /**
   * @param {string} message a sentence for a person
   * @param {number} [status] HTTP status; 0 when there was no answer
   */
  constructor(message, status = 0) {
    super(message);
    this.name = "Refusal";
    this.status = status;
  }
}

/** Dispatches "change" when what may be done has changed. */
export class Administration extends EventTarget {
  /** Whether streams may be changed at all. */
  allowed = false;
  /** Of URLs that may be added.
   * @type {string[]}
   */
  schemes = [];
  #tokenAsked = false;
  /** The last one the server took; it leaves with the page. */
  #token = "";

  /** Whether a person must give a token first. */
  get needsToken() {
    return this.#tokenAsked && this.#token === "";
  }

  /** Asks the server what may be done; an older one, or none, allows nothing new. */
  async ask() {
    try {
      const response = await fetch("api/config", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      if (!response.ok) return;
      /** @type {{ api_streams: { allowed?: boolean, token?: boolean, schemes?: string[] } }} */
      const { api_streams } = await response.json();
      const { allowed, token, schemes } = api_streams;
      [this.allowed, this.#tokenAsked, this.schemes] = [allowed === true, token === true, schemes ?? []];
    } catch {
      return;
    }
    this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {{ name: string, url: string }} settings
   * @param {string} [token] a new one; left out: the last that was right
   * @throws {Refusal} as all of these do
   */
  async add(settings, token) {
    await this.#send("POST", "api/streams", { body: settings, token });
  }

  /**
   * @param {string} name
   * @param {boolean} paused
   * @param {string} [token]
   */
  async pause(name, paused, token) {
    await this.#send("PATCH", `api/streams/${encodeURIComponent(name)}`, { body: { paused }, token });
  }

  /**
   * @param {string} name
   * @param {string} [token]
   */
  async remove(name, token) {
    await this.#send("DELETE", `api/streams/${encodeURIComponent(name)}`, { token });
  }

  /**
   * Has the doctor look at a camera, for up to ten seconds.
   *
   * @param {{ url: string } | { stream: string }} camera
   * @param {AbortSignal} signal
   * @param {string} [token]
   * @returns {Promise<import("./report.js").Report>}
   */
  async examine(camera, signal, token) {
    const response = await this.#send("POST", "api/doctor", {
      body: { ...camera, still: true },
      token,
      signal,
    });
    return response.json();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{ body?: object, token?: string, signal?: AbortSignal }} [more]
   */
  async #send(method, path, { body, token, signal } = {}) {
    const timeout = AbortSignal.timeout(ANSWER_MS);
    const shown = token || this.#token;
    const response = await fetch(path, {
      method,
      headers: { ...authorization(shown), ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body && JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    }).catch((error) => {
      throw signal?.aborted ? error : new Refusal("The server does not answer.");
    });
    if (response.status === 401) [this.#tokenAsked, this.#token] = [true, ""];
    else if (response.ok && shown !== this.#token) {
      this.#token = shown;
      this.dispatchEvent(new Event("change"));
    }
    if (response.status === 401 || response.status === 403) this.ask(); // the configuration may have changed
    if (!response.ok) throw new Refusal(sentence(await refusal(response)), response.status);
    return response;
  }
}

/** The page's one. */
export const administration = new Administration();
