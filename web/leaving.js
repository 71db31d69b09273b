// @ts-check
// Whoever leaves something unsaved is asked first.

import { element } from "./details.js";
import { button, formDialog, showOnce } from "./form.js";

/**
 * @param {string} words what becomes of it
 * @param {string} [title] what it is that is not saved
 * @param {string} [stay] on the button that keeps it
 * @returns {Promise<boolean>} whether it may be lost
 */
export async function mayBeLost(words, title = "What you drew is not saved", stay = "Go on drawing") {
  let lost = false;
  const discard = button(
    "danger",
    () => {
      lost = true;
      dialog.close();
    },
    "Discard it",
  );
  const { dialog, form } = formDialog(
    title,
    element("p", "", words),
    element("p", "buttons", discard, button("start", null, stay)),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  await showOnce(dialog);
  return lost;
}
