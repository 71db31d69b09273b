// @ts-check
// <token-list>: what programs show instead of signing in; a token's secret is shown once, when it is made.

import { addToken, removeToken, tokens } from "./accounts.js";
import { bounds, moment } from "./clock.js";
import { element } from "./details.js";
import {
  button,
  choices,
  chosen,
  confirmed,
  field,
  fieldset,
  formDialog,
  problem,
  sending,
  showOnce,
  showSecret,
} from "./form.js";
import { Listing } from "./listing.js";
import { StreamPatterns, streamsInWords } from "./patterns.js";
import { table } from "./table.js";

/** @typedef {import("./accounts.js").Token} Token */

/** @type {[string, string, string][]} */
const ACTIONS = [
  ["view", "View", "see streams, their video and detections"],
  ["publish", "Publish", "send video in"],
  ["operate", "Operate", "add and change streams, examine cameras"],
  ["metrics", "Metrics", "read the numbers, as Prometheus does"],
  ["administer", "Administer", "users, tokens and the audit"],
];

export class TokenList extends Listing {
  #table = table("Tokens", ["Name", "May", "Streams", "Ends", "Last used", ""]);
  #add = button("start", () => this.#askForNew(), "Add a token");
  #problem = problem();

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const what = "What programs show instead of signing in: Authorization: Bearer and the token.";
    this.append(
      element("header", "", element("p", "fine", what), this.#add),
      this.#problem,
      this.#table.node,
      this.instead,
    );
  }

  /** @override */
  async fetch() {
    const all = await tokens();
    this.#problem.textContent = "";
    this.#table.clear();
    for (const token of all) this.#table.row(this.#cells(token));
    this.#table.node.hidden = all.length === 0;
    return all.length === 0 ? "No tokens yet." : "";
  }

  /** @param {Token} token */
  #cells(token) {
    const { id, name, actions, streams, expires_at, created_by, used_at } = token;
    const remove = async () => {
      await removeToken(id).catch((error) => (this.#problem.textContent = error.message));
      this.load();
    };
    const removal = confirmed("Remove…", `Remove ${name}`, remove);
    removal.querySelector("button")?.setAttribute("aria-label", `Remove ${name}…`);
    return [
      [name, ...(created_by ? [element("small", "", `by ${created_by}`)] : [])],
      [actions.join(", ")],
      [streamsInWords(streams)],
      [expires_at === null ? "never" : moment(expires_at)],
      [used_at === null ? "never" : moment(used_at)],
      [removal],
    ];
  }

  async #askForNew() {
    const name = field("name", { required: "", maxlength: "64", placeholder: "grafana" });
    const day = field("until", { type: "date", min: tomorrow() });
    const streams = new StreamPatterns(this.streams, ["*"]);
    const actions = fieldset("May", ...choices("checkbox", "action", ACTIONS));
    /** @type {HTMLInputElement | null} */ (actions.querySelector("[value=view]"))?.click();
    const line = problem();
    const { dialog, form } = formDialog(
      "Add a token",
      element("label", "", "Name ", name),
      actions,
      streams,
      element("label", "", "Last day ", day, element("small", "", "Left empty, it does not end.")),
      line,
      element(
        "p",
        "buttons",
        button("", () => dialog.close(), "Cancel"),
        button("start", null, "Add"),
      ),
    );
    sending(form, line, async () => {
      const secret = await addToken({
        name: name.value.trim(),
        actions: chosen(form, "action"),
        streams: streams.value,
        expires_at: day.value ? bounds(day.value)[1] : null,
      });
      this.load();
      dialog.close();
      const text = "It is shown this once: the server keeps nothing that it could be read from.";
      await showSecret(`The token ${name.value.trim()}`, text, secret);
    });
    await showOnce(dialog);
  }
}

/** As a date field has it, in the zone of the viewer. */
function tomorrow() {
  const now = new Date();
  const date = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((each) => String(each).padStart(2, "0"))
    .join("-");
}

customElements.define("token-list", TokenList);
