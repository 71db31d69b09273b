// @ts-check
// Passwords: one's own changed, and one made for somebody else.

import { element } from "./details.js";
import { button, field, formDialog, problem, revealed, sending, showOnce } from "./form.js";
import { Refusal } from "./request.js";
import { visitor } from "./visitor.js";

/** As the server has it. */
const SHORTEST = 8;
const LONGEST = 256;
/** Letters and digits that are not taken for one another: almost five bits each. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP = 4;

/** Asks for the old password and a new one, and changes it. */
export async function askNewPassword() {
  const name = field("username", { autocomplete: "username", value: visitor.name, hidden: "" }); // for the browser's keeper
  const old = field("old", {
    type: "password",
    required: "",
    autocomplete: "current-password",
    maxlength: `${LONGEST}`,
  });
  const fresh = field("new", {
    type: "password",
    required: "",
    autocomplete: "new-password",
    minlength: `${SHORTEST}`,
    maxlength: `${LONGEST}`,
  });
  const line = problem();
  const done = element("p", "done");
  done.setAttribute("role", "status");
  const change = button("start", null, "Change");
  const close = button("", () => dialog.close(), "Cancel");
  const fields = element(
    "div",
    "fields",
    name,
    revealed("Old password", old),
    revealed("New password", fresh, `${SHORTEST} characters or more`),
    element("p", "fine", "You stay signed in here, and are signed out everywhere else."),
  );
  const { dialog, form } = formDialog("Change password", fields, line, done, element("p", "buttons", close, change));
  sending(form, line, async () => {
    try {
      await visitor.changePassword(old.value, fresh.value);
    } catch (error) {
      old.focus();
      if (error instanceof Refusal && error.status === 403) old.select();
      throw error;
    }
    form.reset();
    fields.hidden = change.hidden = true;
    done.textContent = "Your password is changed.";
    close.textContent = "Close";
    close.focus();
  });
  await showOnce(dialog);
}

/** A password that nobody could guess and that can be read out. */
export function generated() {
  const bytes = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP));
  const letters = [...bytes].map((byte) => LETTERS[byte % LETTERS.length]);
  return Array.from({ length: GROUPS }, (_, at) => letters.slice(at * GROUP, (at + 1) * GROUP).join("")).join("-");
}
