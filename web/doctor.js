// @ts-check
// "Ask the doctor" about a stream that is away: what to run on the server, and a look at a URL from here.

import { administration } from "./administration.js";
import { CameraCheckup } from "./checkup.js";
import { element } from "./details.js";
import { button, field, formDialog, problem } from "./form.js";
import { sentence } from "./readout.js";
import { withToken } from "./token.js";

/** @typedef {import("./feed.js").Stream} Stream */

/** @param {Stream} stream */
export function askDoctor({ name, origin, reason }) {
  const here = administration.allowed;
  const write = `${origin === "file" ? "Or write" : "Write"} its URL, password and all: the server tells this page none.`;
  const url = field("url", { required: "", inputmode: "url", placeholder: "rtsp://user:password@10.0.0.7/stream" });
  const checkup = new CameraCheckup();
  const line = problem();
  const { dialog, form } = formDialog(
    `What is wrong with ${name}?`,
    element("p", "", sentence(reason ?? "")),
    ...(origin === "file" ? inTerminal(`sightline doctor ${name} --config sightline.yaml`) : []),
    ...(origin !== "file" && !here ? inTerminal("sightline doctor 'URL'") : []),
    ...(here ? [element("p", "fine", write), element("label", "", "URL ", url), checkup] : []),
    line,
    element(
      "p",
      "buttons",
      button("", () => dialog.close(), "Close"),
      ...(here ? [button("start", null, "Check")] : []),
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    line.textContent = "";
    try {
      await withToken(async (token) => void (await checkup.examine(url.value.trim(), token)));
    } catch (error) {
      line.textContent = /** @type {Error} */ (error).message;
    }
  });
  url.addEventListener("input", () => checkup.clear());
  dialog.addEventListener("close", () => dialog.remove()); // and the URL's password with it
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {string} command */
function inTerminal(command) {
  const words = command.split(" ").flatMap((word) => [" ", element("span", "", word)]);
  const code = element("code", "command", ...words.slice(1)); // broken between words, not behind a dash
  const copy = button(
    "",
    async () => {
      await navigator.clipboard.writeText(command);
      copy.textContent = "Copied";
    },
    "Copy",
  );
  copy.hidden = !navigator.clipboard; // pages that are not secure have none
  return [
    element("p", "fine", "On the server’s machine, the doctor opens the camera as the service does:"),
    element("p", "terminal", code, copy),
  ];
}
