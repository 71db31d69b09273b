// @ts-check
// Who looks at this page, as the server knows him: /api/session of docs/api.md. What he may not is not offered. No DOM.

import { Refusal, doubts, request } from "./request.js";

/** @typedef {"view" | "publish" | "operate" | "administer" | "metrics"} Action */
/** @typedef {"open" | "nobody" | "user" | "token" | "proxy" | "link"} Kind */
/**
 * @typedef {object} Answer
 * @property {{ kind: Kind, name: string, role: string | null, actions: Action[], streams: string[] }} principal
 * @property {boolean} open whether nobody is asked who he is
 * @property {{ password: boolean, oidc: { name: string, path: string } | null }} sign_in the ways there are
 */
/**
 * @typedef {object} OwnSession one browser at which one is signed in; times in seconds since 1970
 * @property {string} id
 * @property {number} begun_at
 * @property {string} address
 * @property {string} agent the browser, as it calls itself
 * @property {boolean} current whether it is this one
 */

const SESSION = "api/session";
const SESSIONS = "api/sessions";

/** Dispatches "change" when the answer is another one than before; and "out", before that, when he has signed out. */
export class Visitor extends EventTarget {
  /** @type {Answer | null} null before the first */
  #answer = null;
  /** @type {Promise<void> | null} the question that is under way */
  #asking = null;

  constructor() {
    super();
    doubts.addEventListener("refused", () => this.ask());
  }

  /** Whether the server has said who this is. */
  get known() {
    return this.#answer !== null;
  }

  /** @returns {Kind} */
  get kind() {
    return this.#answer?.principal.kind ?? "nobody";
  }

  get name() {
    return this.#answer?.principal.name ?? "";
  }

  /** @returns {string | null} null where no user of this server */
  get role() {
    return this.#answer?.principal.role ?? null;
  }

  /** Whether he said who he is, here or to a proxy. */
  get named() {
    return this.kind === "user" || this.kind === "proxy";
  }

  /** Which ways there are to sign in. */
  get ways() {
    return this.#answer?.sign_in ?? { password: false, oidc: null };
  }

  /** @param {Action} action */
  may(action) {
    return this.#answer?.principal.actions.includes(action) ?? false;
  }

  /**
   * Whether the page offers it: he may, or nobody is asked who he is, or a token of the configuration is the key.
   *
   * @param {Action} action
   * @param {boolean} [token] whether there is such a token: it is anybody's who did not sign in
   */
  offered(action, token = false) {
    return this.may(action) || this.kind === "open" || (token && !this.named);
  }

  /** Asks the server. Without an answer, what was known holds: whether he may is the server's to say each time. */
  ask() {
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  /**
   * @param {string} name
   * @param {string} password
   * @throws {Refusal} as all of these do
   */
  async signIn(name, password) {
    const response = await request("POST", SESSION, { body: { name, password } });
    this.#take(await response.json());
  }

  /** @param {boolean} everywhere at every other browser too */
  async signOut(everywhere) {
    await request("DELETE", everywhere ? SESSIONS : SESSION).catch(unlessOver);
    this.dispatchEvent(new Event("out"));
    await this.ask();
  }

  /**
   * Ends this user's other sessions too.
   *
   * @param {string} old
   * @param {string} fresh
   */
  async changePassword(old, fresh) {
    await request("PUT", `${SESSION}/password`, { body: { old, new: fresh } });
  }

  /** @returns {Promise<OwnSession[]>} */
  async sessions() {
    return (await request("GET", SESSIONS)).json();
  }

  /** @param {string} id of one of them */
  async endSession(id) {
    await request("DELETE", `${SESSIONS}/${encodeURIComponent(id)}`);
  }

  async #ask() {
    try {
      const response = await request("GET", SESSION);
      this.#take(await response.json());
    } catch {
      return;
    }
  }

  /** @param {Answer} answer */
  #take(answer) {
    const same = JSON.stringify(this.#told(answer)) === JSON.stringify(this.#told(this.#answer));
    this.#answer = answer;
    if (!same) this.dispatchEvent(new Event("change"));
  }

  /** @param {Answer | null} answer */
  #told(answer) {
    return answer && [answer.principal, answer.open, answer.sign_in];
  }
}

/** @param {Error} error of signing out: who is signed out already has what he wanted */
function unlessOver(error) {
  if (!(error instanceof Refusal) || error.status !== 401) throw error;
}

/** The page's one. */
export const visitor = new Visitor();
