// @ts-check
// Where one is signed in: a list in a dialog, and the way to end all of it.

import { moment } from "./clock.js";
import { element } from "./details.js";
import { browserOf } from "./device.js";
import { button, formDialog, problem, showOnce } from "./form.js";
import { visitor } from "./visitor.js";

/** @typedef {import("./visitor.js").OwnSession} OwnSession */

export async function showSessions() {
  const list = element("ul", "sessions", element("li", "none", "Asking the server…"));
  const line = problem();
  const { dialog, form } = formDialog(
    "Where you are signed in",
    list,
    line,
    element(
      "p",
      "buttons",
      button("check", () => leave(), "Sign out everywhere"),
      button("start", null, "Close"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  const leave = async () => {
    try {
      await visitor.signOut(true);
      dialog.close();
    } catch (error) {
      line.textContent = /** @type {Error} */ (error).message;
    }
  };
  visitor.sessions().then(
    (sessions) => list.replaceChildren(...sessions.map(row)),
    (error) => {
      list.replaceChildren();
      line.textContent = error.message;
    },
  );
  await showOnce(dialog);
}

/** @param {OwnSession} session */
function row({ begun_at, address, agent, current }) {
  return element(
    "li",
    "",
    element("b", "", browserOf(agent)),
    ...(current ? [element("span", "word", "here")] : []),
    element("span", "fine", "since ", moment(begun_at), address ? `, from ${address}` : ""),
  );
}
