// @ts-check
// The token for changing streams, asked of the person in a dialog where the server asks for one.

import { administration } from "./administration.js";
import { element } from "./details.js";
import { button, formDialog, problem, secret } from "./form.js";
import { Refusal } from "./request.js";
import { visitor } from "./visitor.js";

/**
 * Does something that may need the token, and asks for it until it is the right one.
 *
 * @param {(token?: string) => Promise<void>} act
 * @returns {Promise<boolean>} false when the person gave up
 * @throws {Refusal} whatever else the server refuses
 */
export async function withToken(act) {
  let refused = "";
  for (;;) {
    const token = administration.needsToken ? await askToken(refused) : undefined;
    if (token === "") return false;
    try {
      await act(token);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error;
      await visitor.ask();
      if (visitor.named || !visitor.may("view")) throw error; // not a token is missing, but a session
      refused = token ? "That is not the server’s token." : "";
    }
  }
}

/**
 * @param {string} refused what was wrong with the one before
 * @returns {Promise<string>} "" when the person gave up
 */
function askToken(refused) {
  const token = secret("token");
  token.required = true;
  const line = problem();
  const { dialog, form } = formDialog(
    "The server asks for a token",
    element(
      "p",
      "fine",
      "It stands in the server’s configuration, under api_streams. This page keeps it until it is closed.",
    ),
    element("label", "", "Token ", token),
    line,
    element(
      "p",
      "buttons",
      button("", () => dialog.close(), "Cancel"),
      button("start", null, "Go on"),
    ),
  );
  return new Promise((resolve) => {
    let given = "";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      given = token.value;
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(given);
    });
    document.body.append(dialog);
    dialog.showModal();
    line.textContent = refused;
  });
}
