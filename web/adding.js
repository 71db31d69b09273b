// @ts-check
// <add-stream>: a button and a form by which a camera is examined and added, where the server lets streams be added.

import { administration } from "./administration.js";
import { CameraCheckup } from "./checkup.js";
import { element } from "./details.js";
import { button, field, formDialog, problem, secret } from "./form.js";
import { Refusal } from "./request.js";
import { visitor } from "./visitor.js";

export class AddStream extends HTMLElement {
  #name = field("name", { required: "", maxlength: "64", pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]*" });
  #url = field("url", { required: "", inputmode: "url", placeholder: "rtsp://user:password@10.0.0.7/stream" });
  #token = secret("token");
  #tokenLabel = element("label", "", "Token ", this.#token);
  #schemes = element("small", "");
  #checkup = new CameraCheckup();
  #problem = problem();
  #check = button("check", () => this.#examine(), "Check");
  #add = button("start", null, "Add");
  /** @type {HTMLDialogElement | null} */
  #dialog = null;

  connectedCallback() {
    if (!this.#dialog) this.#build();
    administration.addEventListener("change", this.#onchange);
    this.#onchange();
  }

  disconnectedCallback() {
    administration.removeEventListener("change", this.#onchange);
  }

  open() {
    administration.ask(); // what may be added is configuration, and that may be another by now
    this.#dialog?.showModal();
  }

  #build() {
    const short = element("span", "add-short", "+");
    short.setAttribute("aria-hidden", "true");
    this.#name.title = "Letters, digits, dots, dashes and underscores";
    this.#check.title = "Watches the camera for some seconds, and says what is wrong with it or would be better";
    const { dialog, form } = formDialog(
      "Add a camera",
      element("label", "", "Name ", this.#name),
      element("label", "", "URL ", this.#url, this.#schemes),
      this.#tokenLabel,
      this.#checkup,
      this.#problem,
      element(
        "p",
        "buttons",
        this.#check,
        button("", () => dialog.close(), "Cancel"),
        this.#add,
      ),
    );
    dialog.classList.add("adding");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#url.addEventListener("input", () => this.#forget()); // what was found is not of this URL
    dialog.addEventListener("close", () => {
      form.reset(); // no password stays in the page
      this.#forget();
    });
    this.#dialog = dialog;
    this.append(
      button("add-open", () => this.open(), element("span", "add-text", "Add a camera"), short),
      dialog,
    );
  }

  #onchange = () => {
    this.hidden = !administration.allowed;
    this.#tokenLabel.hidden = !administration.needsToken;
    this.#schemes.textContent = administration.schemes.join(", ");
    if (this.hidden && visitor.may("view")) this.#dialog?.close(); // else <sign-in> stands before it
  };

  async #submit() {
    this.#add.disabled = true;
    this.#forget();
    try {
      await administration.add({ name: this.#name.value, url: this.#url.value.trim() }, this.#token.value);
      this.#dialog?.close();
      this.dispatchEvent(new Event("changed", { bubbles: true }));
    } catch (error) {
      this.#say(/** @type {Error} */ (error));
    } finally {
      this.#add.disabled = false;
    }
  }

  async #examine() {
    const stop = this.#checkup.running;
    this.#forget();
    if (stop || !this.#url.reportValidity()) return;
    this.#check.textContent = "Stop";
    try {
      if (!(await this.#checkup.examine({ url: this.#url.value.trim() }, this.#token.value))) return;
      this.#check.textContent = "Check again";
    } catch (error) {
      this.#check.textContent = "Check";
      this.#say(/** @type {Error} */ (error));
    }
  }

  /** @param {Error} error */
  #say(error) {
    this.#problem.textContent = error.message;
    this.#tokenLabel.hidden = !administration.needsToken;
    if (error instanceof Refusal && error.status === 401) this.#token.focus();
  }

  #forget() {
    this.#checkup.clear();
    this.#check.textContent = "Check";
    this.#problem.textContent = "";
  }
}

customElements.define("add-stream", AddStream);
