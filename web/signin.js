// @ts-check
// <sign-in>: where somebody says who he is. Over the whole page while he must, so that nothing below it is lost; to be
// closed where he need not.

import { element } from "./details.js";
import { button, field, problem, revealed } from "./form.js";
import { sentence } from "./readout.js";
import { Refusal } from "./request.js";
import { visitor } from "./visitor.js";

const ANOTHER_SECOND_MS = 1000;
/** Where he was, while he is at another server to sign in. */
const PLACE = "sightline-place";

export class SignIn extends HTMLElement {
  #name = field("username", { required: "", autocomplete: "username", maxlength: "64" });
  #password = field("password", {
    required: "",
    type: "password",
    autocomplete: "current-password",
    maxlength: "256",
  });
  #why = element("p", "why");
  #problem = problem();
  #wait = element("p", "wait");
  #go = button("start", null, "Sign in");
  #form = /** @type {HTMLFormElement} */ (element("form", ""));
  #or = element("p", "or", "or");
  #elsewhere = /** @type {HTMLAnchorElement} */ (element("a", "elsewhere"));
  #leave = button("", () => visitor.signOut(false), "Sign out");
  #close = button("", () => this.#dialog.close(), "Not now");
  #title = element("h2", "");
  #card = element("div", "door-card");
  #dialog = /** @type {HTMLDialogElement} */ (element("dialog", "door"));
  /** Whether it may be left without signing in. */
  #free = false;
  /** Whether somebody was, until now. */
  #signedIn = false;
  #busy = false;
  #timer = 0;

  connectedCallback() {
    if (this.#card.childElementCount > 0) return;
    this.#build();
    restorePlace();
    visitor.addEventListener("change", this.#follow);
    visitor.addEventListener("out", () => {
      this.#signedIn = false; // and need not be told why he is out
      this.#name.value = "";
    });
    document.addEventListener("in", () => this.#show("", true));
  }

  get open() {
    return this.#dialog.open;
  }

  /** Shows itself, or goes, by who it is now. */
  #follow = () => {
    const ended = this.#signedIn && !visitor.named;
    this.#signedIn = visitor.named;
    const free = visitor.may("view");
    if (!free || ended) this.#show(whyAsked(ended), free);
    else this.#hide();
  };

  /**
   * @param {string} why a sentence; "" where it goes without saying
   * @param {boolean} free whether one may close it and go on as nobody
   */
  #show(why, free) {
    this.#free = free;
    this.#why.textContent = why;
    this.#close.hidden = !free;
    this.#dialog.toggleAttribute("data-free", free);
    this.#drawWays();
    if (this.#dialog.open) return;
    this.append(this.#dialog); // only while it is asked for: no browser fills in a form that nobody sees
    this.#dialog.showModal();
    if (!this.#form.hidden) (this.#name.value ? this.#password : this.#name).focus();
  }

  #hide() {
    this.#free = true;
    if (this.#dialog.open) this.#dialog.close();
  }

  #build() {
    const mark = /** @type {HTMLImageElement} */ (element("img", ""));
    [mark.src, mark.alt, mark.width, mark.height] = ["web/icon.svg", "", 40, 40];
    this.#wait.setAttribute("role", "timer");
    this.#form.append(
      element("label", "", "Name ", this.#name),
      revealed("Password", this.#password),
      this.#problem,
      this.#wait,
      this.#go,
    );
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#elsewhere.addEventListener("click", rememberPlace);
    this.#title.id = "sign-in-title";
    this.#dialog.setAttribute("aria-labelledby", this.#title.id);
    this.#card.append(
      element("p", "door-mark", mark, element("span", "", "Sightline")),
      this.#title,
      this.#why,
      this.#form,
      this.#or,
      this.#elsewhere,
      this.#leave,
      this.#close,
    );
    this.#dialog.append(this.#card);
    // Escape closes a dialog at the second try whatever its cancel event says: so it is shown again.
    this.#dialog.addEventListener("cancel", (event) => !this.#free && event.preventDefault());
    this.#dialog.addEventListener("close", () => {
      this.#forget();
      if (this.#free) this.#dialog.remove();
      else this.#dialog.showModal();
    });
  }

  #drawWays() {
    const { password, oidc } = visitor.named ? { password: false, oidc: null } : visitor.ways;
    this.#title.textContent = visitor.named ? "Nothing to see yet" : "Sign in";
    this.#form.hidden = !password;
    this.#or.hidden = !password || !oidc;
    this.#elsewhere.hidden = !oidc;
    this.#leave.hidden = visitor.kind !== "user";
    if (!oidc) return;
    this.#elsewhere.textContent = `Sign in with ${oidc.name}`;
    this.#elsewhere.href = oidc.path;
  }

  async #submit() {
    if (this.#busy || this.#timer) return;
    this.#setBusy(true);
    this.#say("");
    try {
      await visitor.signIn(this.#name.value.trim(), this.#password.value);
      this.#hide();
    } catch (error) {
      this.#refused(/** @type {Error} */ (error));
    } finally {
      this.#setBusy(false);
    }
  }

  /** @param {Error} error */
  #refused(error) {
    const { status = 0, retryAfterS = 0 } = error instanceof Refusal ? error : {};
    this.#say(status === 429 ? "Too many attempts." : sentence(error.message));
    if (status === 429 || status === 503) this.#waitFor(retryAfterS);
    this.#password.focus(); // also from the button, which took it along when it was disabled
    if (status !== 429 && status !== 503 && status !== 0) this.#password.select();
  }

  /** Counts down beside the sentence, which is read out once and not every second.
   * @param {number} seconds
   */
  #waitFor(seconds) {
    const until = performance.now() + seconds * 1000;
    const tell = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      this.#wait.textContent = left > 0 ? `You can try again in ${spoken(left)}.` : "";
      if (left > 0) return;
      window.clearInterval(this.#timer);
      this.#timer = 0;
      if (seconds > 0) this.#say("");
      this.#go.disabled = this.#busy;
    };
    window.clearInterval(this.#timer);
    this.#timer = window.setInterval(tell, ANOTHER_SECOND_MS);
    tell();
    this.#go.disabled = this.#timer !== 0 || this.#busy;
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.#busy = busy;
    this.#form.ariaBusy = busy ? "true" : null;
    this.#go.disabled = busy || this.#timer !== 0;
    this.#go.textContent = busy ? "Signing in…" : "Sign in";
  }

  /** @param {string} text */
  #say(text) {
    this.#problem.textContent = text;
  }

  /** No password stays in the page. */
  #forget() {
    this.#password.value = "";
    this.#say("");
  }
}

/** @param {boolean} ended whether somebody was signed in until now */
function whyAsked(ended) {
  const { password, oidc } = visitor.ways;
  if (visitor.named)
    return `You are signed in as ${visitor.name}, and no stream is yours to see: ask an administrator.`;
  if (ended) return "Your session has ended. Sign in to go on where you were.";
  if (!password && !oidc) return "Nobody can sign in here yet. On the server: sightline user add NAME --role admin";
  return "";
}

/** @param {number} seconds */
function spoken(seconds) {
  const minutes = Math.ceil(seconds / 60);
  return seconds < 100 ? `${seconds} ${seconds === 1 ? "second" : "seconds"}` : `${minutes} minutes`;
}

function rememberPlace() {
  sessionStorage.setItem(PLACE, location.hash);
}

/** Another server sends its visitors back to the page, and not to a place on it. */
function restorePlace() {
  const place = sessionStorage.getItem(PLACE);
  sessionStorage.removeItem(PLACE);
  if (place && !location.hash) history.replaceState(null, "", place);
}

customElements.define("sign-in", SignIn);
