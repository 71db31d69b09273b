// @ts-check
// The parts of forms and dialogs.

import { element } from "./details.js";

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
export function field(name, attributes) {
  const input = /** @type {HTMLInputElement} */ (element("input", ""));
  const plain = { name, spellcheck: "false", autocapitalize: "none", autocomplete: "off" };
  for (const [key, value] of Object.entries({ ...plain, ...attributes })) input.setAttribute(key, value);
  return input;
}

/** A field for a secret that no browser should keep or fill in.
 * @param {string} name
 */
export function secret(name) {
  return field(name, { type: "password", autocomplete: "new-password" });
}

/**
 * @param {string} className
 * @param {(() => void) | null} onclick null: it submits its form
 * @param {(string | Node)[]} content
 */
export function button(className, onclick, ...content) {
  const node = /** @type {HTMLButtonElement} */ (element("button", className, ...content));
  node.type = onclick ? "button" : "submit";
  if (onclick) node.addEventListener("click", onclick);
  return node;
}

/** A line for what went wrong, read out when it changes. */
export function problem() {
  const line = element("p", "problem");
  line.setAttribute("role", "alert");
  return line;
}

/**
 * A form in a modal dialog: the browser keeps the focus in it, and Escape closes it.
 *
 * @param {string} title
 * @param {(string | Node)[]} content
 */
export function formDialog(title, ...content) {
  const form = /** @type {HTMLFormElement} */ (element("form", "", element("h2", "", title), ...content));
  form.autocomplete = "off";
  const dialog = /** @type {HTMLDialogElement} */ (element("dialog", "sheet", form));
  dialog.setAttribute("aria-label", title);
  return { dialog, form };
}
