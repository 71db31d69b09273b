// @ts-check
// What is drawn, as the configuration file has it, in a dialog to be copied from.

import { element } from "./details.js";
import { button, copying, formDialog, showOnce } from "./form.js";
import { yamlOf } from "./places_yaml.js";

/** @typedef {import("./places.js").Places} Places */

/**
 * @param {string} stream
 * @param {Places} places
 * @param {boolean} inFile whether the stream stands in the configuration file
 */
export function showYaml(stream, places, inFile) {
  const yaml = yamlOf(places);
  const code = element("pre", "yaml", yaml || "    # no zones, lines or masks: take theirs away\n");
  code.tabIndex = 0;
  const where = inFile
    ? `Put it below ${stream}: in the configuration file, in the place of its zones, lines and masks. The file is followed: it counts a second after it is saved.`
    : `The same as it would stand below ${stream}: in a configuration file.`;
  const { dialog, form } = formDialog(
    `Zones and lines of ${stream}`,
    element("p", "", where),
    code,
    element("p", "buttons", copying(yaml), button("start", null, "Done")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.classList.add("wide");
  return showOnce(dialog);
}
