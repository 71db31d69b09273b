// @ts-check
// Whoever leaves something unsaved is asked first.

import { element } from "./details.js";
import { button, formDialog, showOnce } from "./form.js";

/**
 * @param {string} words what it is that is not saved
 * @returns {Promise<boolean>} whether it may be lost
 */
export async function mayBeLost(words) {
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
    "What you drew is not saved",
    element("p", "", words),
    element("p", "buttons", discard, button("start", null, "Go on drawing")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  await showOnce(dialog);
  return lost;
}
