// @ts-check
// <add-stream>: a button and a form by which a camera is added, where the server lets streams be added.

import { element } from "./details.js";
import { refusal } from "./problem.js";
import { sentence } from "./readout.js";

/** The server may ask a name server first. */
const ANSWER_MS = 15_000;

export class AddStream extends HTMLElement {
  #dialog = /** @type {HTMLDialogElement} */ (element("dialog", "adding"));
  #form = /** @type {HTMLFormElement} */ (element("form", ""));
  #problem = element("p", "problem");
  #name = field("name", { required: "", maxlength: "64", pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]*" });
  #url = field("url", { required: "", placeholder: "rtsp://user:password@10.0.0.7/stream" });
  #token = field("token", { type: "password" });

  connectedCallback() {
    if (this.childElementCount === 0) this.#build();
    this.#ask();
  }

  #build() {
    const short = element("span", "add-short", "+");
    short.setAttribute("aria-hidden", "true");
    const open = button("add-open", element("span", "add-text", "Add a camera"), short);
    open.addEventListener("click", () => this.#dialog.showModal());
    const cancel = button("", "Cancel");
    cancel.addEventListener("click", () => this.#dialog.close());
    const add = button("start", "Add");
    add.type = "submit";
    this.#name.title = "Letters, digits, dots, dashes and underscores";
    this.#problem.setAttribute("role", "alert");
    this.#form.autocomplete = "off";
    this.#form.append(
      element("h2", "", "Add a camera"),
      element("label", "", "Name ", this.#name),
      element("label", "", "URL ", this.#url),
      element("label", "token", "Token ", this.#token),
      this.#problem,
      element("p", "buttons", cancel, add),
    );
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add(add);
    });
    this.#dialog.setAttribute("aria-label", "Add a camera");
    this.#dialog.addEventListener("close", () => this.#forget());
    this.#dialog.append(this.#form);
    this.append(open, this.#dialog);
  }

  /** Asks the server whether streams may be added at all. */
  async #ask() {
    try {
      const response = await fetch("/api/config", { cache: "no-store" });
      if (!response.ok) return;
      const { allowed, token } = (await response.json()).api_streams;
      /** @type {HTMLElement} */ (this.querySelector(".token")).hidden = !token;
      this.hidden = !allowed;
    } catch {
      // an older server, or none: nothing is offered
    }
  }

  /** @param {HTMLButtonElement} add */
  async #add(add) {
    add.disabled = true;
    this.#problem.textContent = "";
    try {
      const response = await fetch("/api/streams", {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          ...(this.#token.value ? { Authorization: `Bearer ${this.#token.value}` } : {}),
        },
        body: JSON.stringify({ name: this.#name.value, url: this.#url.value.trim() }),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      if (response.ok) this.#dialog.close();
      else this.#problem.textContent = sentence(await refusal(response));
    } catch {
      this.#problem.textContent = "The server does not answer.";
    } finally {
      add.disabled = false;
    }
  }

  /** No password stays in the page. */
  #forget() {
    this.#form.reset();
    this.#problem.textContent = "";
  }
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
function field(name, attributes) {
  const input = /** @type {HTMLInputElement} */ (element("input", ""));
  for (const [key, value] of Object.entries({ name, spellcheck: "false", autocapitalize: "none", ...attributes }))
    input.setAttribute(key, value);
  return input;
}

/**
 * @param {string} className
 * @param {(string | Node)[]} content
 */
function button(className, ...content) {
  const node = /** @type {HTMLButtonElement} */ (element("button", className, ...content));
  node.type = "button";
  return node;
}

customElements.define("add-stream", AddStream);
