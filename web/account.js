// @ts-check
// <account-menu>: who looks, in the bar, and what he may do about himself; "Sign in" where he has not said who he is.
// Dispatches "in" when he wants to; it bubbles.

import { element } from "./details.js";
import { button } from "./form.js";
import { askNewPassword } from "./password.js";
import { showSessions } from "./sessions.js";
import { visitor } from "./visitor.js";

export class AccountMenu extends HTMLElement {
  #enter = button("enter", () => this.dispatchEvent(new Event("in", { bubbles: true })), "Sign in");
  #name = element("span", "account-name");
  #open = button("account-open", () => {}, person(), this.#name);
  #menu = element("div", "account-items");
  #who = element("p", "account-who");
  #people = /** @type {HTMLAnchorElement} */ (element("a", "", "Users and tokens"));
  #sessions = button("", () => this.#then(showSessions), "Where you are signed in…");
  #password = button("", () => this.#then(askNewPassword), "Change password…");
  #everywhere = button("", () => this.#leave(true), "Sign out everywhere");
  #out = button("", () => this.#leave(false), "Sign out");
  #problem = element("p", "problem");
  #shown = false;

  connectedCallback() {
    if (this.childElementCount === 0) this.#build();
    visitor.addEventListener("change", this.#draw);
    this.#draw();
  }

  disconnectedCallback() {
    visitor.removeEventListener("change", this.#draw);
  }

  #build() {
    this.#people.href = "#+users";
    this.#people.addEventListener("click", () => this.#menu.hidePopover());
    this.#problem.setAttribute("role", "alert");
    this.#menu.popover = "auto";
    this.#open.popoverTargetElement = this.#menu;
    this.#menu.addEventListener("toggle", (event) => {
      this.#shown = event.newState === "open";
      this.#problem.textContent = "";
    });
    this.#menu.append(
      this.#who,
      this.#people,
      this.#sessions,
      this.#password,
      element("hr", ""),
      this.#everywhere,
      this.#out,
      this.#problem,
    );
    this.append(this.#enter, this.#open, this.#menu);
  }

  #draw = () => {
    const { password, oidc } = visitor.ways;
    const signedIn = visitor.kind === "user";
    this.#enter.hidden = visitor.kind !== "nobody" || !visitor.may("view") || !(password || oidc); // <sign-in> stands there
    this.#open.hidden = !visitor.named;
    if (this.#open.hidden && this.#shown) this.#menu.hidePopover();
    this.#name.textContent = visitor.name;
    this.#open.setAttribute("aria-label", `${visitor.name}: your account`);
    this.#who.replaceChildren(
      element("b", "", visitor.name),
      element("span", "", visitor.role ?? "signed in elsewhere"),
    );
    this.#people.hidden = !visitor.may("administer");
    for (const item of [this.#sessions, this.#everywhere, this.#out]) item.hidden = !signedIn;
    this.#password.hidden = !signedIn || visitor.role === null; // whose password is elsewhere changes it there
    this.hidden = this.#enter.hidden && this.#open.hidden;
  };

  /** @param {() => Promise<void>} show */
  #then(show) {
    this.#menu.hidePopover();
    show();
  }

  /** @param {boolean} everywhere */
  async #leave(everywhere) {
    this.#problem.textContent = "";
    try {
      await visitor.signOut(everywhere);
    } catch (error) {
      this.#problem.textContent = /** @type {Error} */ (error).message;
    }
  }
}

function person() {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 16 16");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2.5 14c.5-3 2.7-4.2 5.5-4.2s5 1.2 5.5 4.2");
  icon.append(path);
  return icon;
}

customElements.define("account-menu", AccountMenu);
