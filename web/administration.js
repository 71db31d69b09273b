// @ts-check
// Whether the server's streams may be changed from here, and the requests that do it: docs/api.md. No DOM.

import { pathOf } from "./places.js";
import { Refusal, request } from "./request.js";
import { visitor } from "./visitor.js";

/** Dispatches "change" when what may be done has changed. */
export class Administration extends EventTarget {
  /** Whether the configuration lets streams be changed. */
  #allowed = false;
  /** Of URLs that may be added.
   * @type {string[]}
   */
  schemes = [];
  #tokenAsked = false;
  /** The last one the server took; it leaves with the page. */
  #token = "";

  constructor() {
    super();
    visitor.addEventListener("change", () => this.dispatchEvent(new Event("change")));
  }

  /** Whether streams may be changed from here. */
  get allowed() {
    return this.#allowed && visitor.offered("operate", this.#tokenAsked);
  }

  /** Whether a person must give a token first: who may anyway shows none. */
  get needsToken() {
    return this.#tokenAsked && this.#token === "" && !visitor.may("operate");
  }

  /** Asks the server what may be done; an older one, or none, allows nothing new. */
  async ask() {
    try {
      const response = await request("GET", "api/config");
      /** @type {{ api_streams: { allowed?: boolean, token?: boolean, schemes?: string[] } }} */
      const { api_streams } = await response.json();
      const { allowed, token, schemes } = api_streams;
      [this.#allowed, this.#tokenAsked, this.schemes] = [allowed === true, token === true, schemes ?? []];
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
   * @param {"off" | "events" | "continuous"} mode what of its video is kept from now on
   * @param {string} [token]
   */
  async record(name, mode, token) {
    await this.#send("PATCH", `api/streams/${encodeURIComponent(name)}`, { body: { record: { mode } }, token });
  }

  /**
   * @param {string} name
   * @param {string} [token]
   */
  async remove(name, token) {
    await this.#send("DELETE", `api/streams/${encodeURIComponent(name)}`, { token });
  }

  /**
   * @param {string} name
   * @param {import("./places.js").Places} places
   * @param {string} tag of those they take the place of; "" whatever they are
   * @param {string} [token]
   * @returns {Promise<string>} their own tag
   */
  async draw(name, places, tag, token) {
    const response = await this.#send("PUT", pathOf(name), { body: places, token, ifMatch: tag });
    return response.headers.get("ETag") ?? "";
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
   * @param {{ body?: object, token?: string, signal?: AbortSignal, ifMatch?: string }} [more]
   */
  async #send(method, path, { body, token, signal, ifMatch } = {}) {
    const shown = token || this.#token;
    const response = await request(method, path, { body, token: shown, signal, ifMatch }).catch((error) => {
      const status = error instanceof Refusal ? error.status : 0;
      if (status === 401) [this.#tokenAsked, this.#token] = [true, ""];
      if (status === 401 || status === 403) this.ask(); // the configuration may have changed
      throw error;
    });
    if (shown !== this.#token) {
      this.#token = shown;
      this.dispatchEvent(new Event("change"));
    }
    return response;
  }
}

/** The page's one. */
export const administration = new Administration();
