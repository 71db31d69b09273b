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
  const ask = async () => {
    try {
      list.replaceChildren(...(await visitor.sessions()).map((session) => row(session, () => end(session))));
    } catch (error) {
      list.replaceChildren();
      line.textContent = /** @type {Error} */ (error).message;
    }
  };
  /** @param {OwnSession} session */
  const end = async ({ id }) => {
    line.textContent = "";
    await visitor.endSession(id).catch((error) => (line.textContent = error.message));
    await ask();
  };
  ask();
  await showOnce(dialog);
}

/**
 * @param {OwnSession} session
 * @param {() => void} end
 */
function row({ begun_at, address, agent, current }, end) {
  const browser = browserOf(agent);
  const ending = button("", end, "End");
  ending.setAttribute("aria-label", `End ${browser}`);
  return element(
    "li",
    "",
    element("b", "", browser),
    current ? element("span", "word", "here") : ending,
    element("span", "fine", "since ", moment(begun_at), address ? `, from ${address}` : ""),
  );
}
