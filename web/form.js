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

/** @param {[value: string, word: string][]} options */
export function select(options) {
  const node = /** @type {HTMLSelectElement} */ (element("select", ""));
  node.append(...options.map(([value, word]) => new Option(word, value)));
  return node;
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

/**
 * A password's field with a button that shows what was typed.
 *
 * @param {string} word what it is called
 * @param {HTMLInputElement} input
 * @param {string} [note]
 */
export function revealed(word, input, note = "") {
  input.setAttribute("aria-label", word); // the button's own words would be part of the label's
  const show = button("reveal", () => reveal(input.type === "password"), "Show");
  show.setAttribute("aria-label", "Show the password");
  /** @param {boolean} shown */
  const reveal = (shown) => {
    input.type = shown ? "text" : "password";
    show.textContent = shown ? "Hide" : "Show";
    show.setAttribute("aria-pressed", String(shown));
    if (shown) input.form?.addEventListener("submit", () => reveal(false), { once: true });
  };
  reveal(false);
  const small = note ? [element("small", "", note)] : [];
  return element("label", "", `${word} `, element("span", "revealed", input, show), ...small);
}

/**
 * A button that wants a second press, at another word.
 *
 * @param {string} word
 * @param {string} really the other one
 * @param {() => void} act
 */
export function confirmed(word, really, act) {
  const first = button("", () => ask(true), word);
  const second = button("danger", () => {}, really);
  second.addEventListener("click", ({ detail }) => detail < 2 && act()); // a double click is not asked twice
  second.addEventListener("blur", () => ask(false));
  /** @param {boolean} asking */
  const ask = (asking) => {
    [first.hidden, second.hidden] = [asking, !asking];
    if (asking) second.focus();
  };
  ask(false);
  return element("span", "confirmed", first, second);
}

/** A line for what went wrong, read out when it changes. */
export function problem() {
  const line = element("p", "problem");
  line.setAttribute("role", "alert");
  return line;
}

/**
 * Choices of one or several, each with its word.
 *
 * @param {"radio" | "checkbox"} type
 * @param {string} name
 * @param {[value: string, word: string, note?: string][]} choices
 */
export function choices(type, name, choices) {
  return choices.map(([value, word, note]) => {
    const input = field(name, { type, value });
    return element("label", "choice", input, element("span", "", word, ...(note ? [element("small", "", note)] : [])));
  });
}

/**
 * Those of a group that are chosen.
 *
 * @param {HTMLElement} group
 * @param {string} name
 */
export function chosen(group, name) {
  const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (group.querySelectorAll(`[name="${name}"]`));
  return [...inputs].filter(({ checked }) => checked).map(({ value }) => value);
}

/**
 * @param {string} legend
 * @param {(string | Node)[]} content
 */
export function fieldset(legend, ...content) {
  return element("fieldset", "", element("legend", "", legend), ...content);
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

/**
 * Shows a dialog that is made anew each time.
 *
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<void>} settled when it is closed
 */
export function showOnce(dialog) {
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    }),
  );
}

/**
 * Sends what a form holds when it is submitted: once at a time, and what is refused is said in its line.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLElement} line as `problem` makes it
 * @param {() => Promise<void>} send
 */
export function sending(form, line, send) {
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    [busy, line.textContent, form.ariaBusy] = [true, "", "true"];
    try {
      await send();
    } catch (error) {
      line.textContent = /** @type {Error} */ (error).message;
    } finally {
      [busy, form.ariaBusy] = [false, null];
    }
  });
}

/** A button that copies a text.
 * @param {string} text
 */
export function copying(text) {
  const copy = button(
    "copy",
    async () => {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    },
    "Copy",
  );
  copy.hidden = !navigator.clipboard; // pages that are not secure have none
  return copy;
}

/**
 * Shows what nobody can ask for again, until whoever made it says that he has it.
 *
 * @param {string} title
 * @param {string} text
 * @param {string} secret
 */
export async function showSecret(title, text, secret) {
  const buttons = element("p", "buttons", button("start", null, "Done"));
  const code = element("code", "command secret", secret);
  code.tabIndex = -1;
  const shown = element("p", "terminal", code, copying(secret));
  const { dialog, form } = formDialog(title, element("p", "", text), shown, buttons);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  const closed = showOnce(dialog);
  code.focus(); // on no button: an Enter too many, from the form before, would take it away unread
  getSelection()?.selectAllChildren(code); // to be copied by the keyboard: pages that are not secure have no button for it
  await closed;
}
