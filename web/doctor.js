// @ts-check
// "Ask the doctor" about a stream that is away: the server looks at its camera, or where it may not, what to run there.

import { administration } from "./administration.js";
import { CameraCheckup } from "./checkup.js";
import { element } from "./details.js";
import { button, copying, formDialog, problem } from "./form.js";
import { sentence } from "./readout.js";
import { withToken } from "./token.js";

/** @typedef {import("./feed.js").Stream} Stream */

/** @param {Stream} stream */
export function askDoctor({ name, origin, reason }) {
  const here = administration.allowed;
  const checkup = new CameraCheckup();
  const line = problem();
  const again = button("start", null, "Check");
  const { dialog, form } = formDialog(
    `What is wrong with ${name}?`,
    element("p", "", sentence(reason ?? "")),
    ...(here ? [checkup] : inTerminal(origin === "file" ? `${name} --config sightline.yaml` : "'URL'")),
    line,
    element(
      "p",
      "buttons",
      button("", () => dialog.close(), "Close"),
      ...(here ? [again] : []),
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    [line.textContent, again.textContent, again.disabled] = ["", "Check again", true];
    try {
      await withToken(async (token) => void (await checkup.examine({ stream: name }, token)));
    } catch (error) {
      line.textContent = /** @type {Error} */ (error).message;
    }
    again.disabled = false;
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  if (here) form.requestSubmit();
}

/** @param {string} camera as the command takes it */
function inTerminal(camera) {
  const command = `sightline doctor ${camera}`;
  const words = command.split(" ").flatMap((word) => [" ", element("span", "", word)]);
  const code = element("code", "command", ...words.slice(1)); // broken between words, not behind a dash
  return [
    element("p", "fine", "On the server’s machine, the doctor opens the camera as the service does:"),
    element("p", "terminal", code, copying(command)),
  ];
}
