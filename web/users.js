// @ts-check
// <user-list>: who may sign in; each is added, changed, given a new password and removed in a dialog.

import { addUser, changeUser, removeUser, signOutUser, users } from "./accounts.js";
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
import { generated } from "./password.js";
import { StreamPatterns, streamsInWords } from "./patterns.js";
import { table } from "./table.js";
import { visitor } from "./visitor.js";

/** @typedef {import("./accounts.js").User} User */
/** @typedef {import("./accounts.js").Role} Role */

/** @type {[Role, string, string][]} */
const ROLES = [
  ["viewer", "Viewer", "watches"],
  ["operator", "Operator", "watches, publishes, adds and changes streams"],
  ["admin", "Admin", "all of that, and users, tokens and the audit"],
];

export class UserList extends Listing {
  #table = table("Users", ["Name", "Role", "Streams", "Signed in", ""]);
  #add = button("start", () => this.#askForNew(), "Add a user");

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(
      element("header", "", element("p", "fine", "Who may sign in, with which role, to see which streams."), this.#add),
      this.#table.node,
      this.instead,
    );
  }

  /** @override */
  async fetch() {
    const all = await users();
    this.#table.clear();
    for (const user of all) this.#table.row(this.#cells(user));
    this.#table.node.hidden = all.length === 0;
    return all.length === 0 ? "No users yet." : "";
  }

  /** @param {User} user */
  #cells(user) {
    const edit = button("edit", () => this.#edit(user), "Edit…");
    edit.setAttribute("aria-label", `Edit ${user.name}`);
    const own = user.name === visitor.name && visitor.kind === "user";
    return [
      [user.name, ...(own ? [element("span", "word", "you")] : [])],
      [user.role],
      [streamsInWords(user.streams)],
      [browsers(user)],
      [edit],
    ];
  }

  async #askForNew() {
    const name = field("name", { required: "", maxlength: "64" });
    const streams = new StreamPatterns(this.streams, ["*"]);
    const line = problem();
    const fields = element("div", "fields", element("label", "", "Name ", name), roles("viewer"), streams, line);
    const cancel = button("", () => dialog.close(), "Cancel");
    const { dialog, form } = formDialog(
      "Add a user",
      fields,
      element("p", "buttons", cancel, button("start", null, "Add")),
    );
    sending(form, line, async () => {
      const [user, password] = [name.value.trim(), generated()];
      await addUser({ name: user, role: roleOf(form), streams: streams.value, password });
      this.load();
      dialog.close();
      await showPassword(user, password);
    });
    await showOnce(dialog);
  }

  /** @param {User} user */
  async #edit(user) {
    const streams = new StreamPatterns(this.streams, user.streams);
    const line = problem();
    const said = element("p", "done");
    said.setAttribute("role", "status");
    /** @param {() => Promise<void>} act */
    const attempt = async (act) => {
      line.textContent = said.textContent = "";
      await act().catch((error) => (line.textContent = error.message));
    };
    const reset = async () => {
      const password = generated();
      await changeUser(user.name, { password });
      dialog.close();
      this.load();
      await showPassword(user.name, password);
    };
    const signOut = async () => {
      await signOutUser(user.name);
      said.textContent = `${user.name} is signed out everywhere.`;
      this.load();
    };
    const remove = async () => {
      await removeUser(user.name);
      dialog.close();
      this.load();
    };
    const { dialog, form } = formDialog(
      user.name,
      roles(user.role),
      streams,
      fieldset(
        "Signing in",
        element(
          "p",
          "buttons",
          confirmed("New password…", "Replace the password", () => attempt(reset)),
          button("", () => attempt(signOut), "Sign out everywhere"),
        ),
      ),
      said,
      line,
      element(
        "p",
        "buttons",
        confirmed("Remove…", `Remove ${user.name}`, () => attempt(remove)),
        button("", () => dialog.close(), "Cancel"),
        button("start", null, "Save"),
      ),
    );
    sending(form, line, async () => {
      await changeUser(user.name, { role: roleOf(form), streams: streams.value });
      dialog.close();
      this.load();
    });
    await showOnce(dialog);
  }
}

/** @param {Role} role */
function roles(role) {
  const group = fieldset("Role", ...choices("radio", "role", ROLES));
  const input = /** @type {HTMLInputElement} */ (group.querySelector(`[value=${role}]`));
  input.checked = true;
  return group;
}

/** @param {HTMLElement} form */
function roleOf(form) {
  return /** @type {Role} */ (chosen(form, "role")[0]);
}

/** @param {User} user */
function browsers({ sessions, password }) {
  if (!password && sessions === 0) return "no password";
  return sessions === 0 ? "–" : `${sessions} ${sessions === 1 ? "browser" : "browsers"}`;
}

/**
 * @param {string} name
 * @param {string} password
 */
async function showPassword(name, password) {
  const text = "It is shown this once. Whoever gets it changes it in the menu behind the name.";
  await showSecret(`The password of ${name}`, text, password);
}

customElements.define("user-list", UserList);
