// @ts-check
// A dialog in which somebody is silenced for a time, or that is ended; and what is in force, as a list.

import { silenced } from "./alert_words.js";
import { partAt } from "./alerts_place.js";
import { briefly, dayOf } from "./clock.js";
import { element } from "./details.js";
import { button, field, formDialog, problem, sending, showOnce } from "./form.js";
import { silencesNow } from "./silences.js";
import { visitor } from "./visitor.js";

/** @typedef {import("./alerts.js").Silence} Silence */
/** @typedef {import("./silences.js").About} About */

/** @type {[seconds: number, word: string][]} */
const LENGTHS = [
  [15 * 60, "15 min"],
  [3600, "1 h"],
  [8 * 3600, "8 h"],
];
const NOBODY = "nobody";
/** As the server has it. */
const LONGEST_S = 30 * 86_400;

/** Shows all that is in force about something, and offers another silence.
 * @param {About} about
 */
export async function askSilence(about) {
  const what = silenced(about);
  const line = problem();
  const list = element("div", "in-force");
  const until = field("until", { type: "datetime-local", required: "", min: local(Date.now()) });
  until.value = local(Date.now() + 12 * 3600_000);
  /** @param {number} seconds */
  const begin = async (seconds) => {
    line.textContent = "";
    await silencesNow.begin(about, seconds);
    dialog.close();
  };
  const offered = LENGTHS.map(([seconds, word]) =>
    button("length", () => begin(seconds).catch((error) => (line.textContent = error.message)), word),
  );
  const lengths = element("p", "lengths", ...offered);
  lengths.setAttribute("role", "group");
  lengths.setAttribute("aria-label", `Silence ${what} for`);
  const chosen = element("div", "until", element("label", "", "or until ", until), button("start", null, "Silence"));
  const parts = visitor.may("operate") ? [element("p", "", words(about)), lengths, chosen] : [];
  const all = /** @type {HTMLAnchorElement} */ (element("a", "to-rules", "Rules and history"));
  all.href = partAt("rules");
  all.addEventListener("click", () => dialog.close());
  const close = element(
    "p",
    "buttons",
    all,
    button("", () => dialog.close(), "Close"),
  );
  const { dialog, form } = formDialog(`Silence ${what}`, list, ...parts, line, close);
  sending(form, line, () => begin(secondsUntil(until.value)));
  const draw = () => {
    const inForce = about.rule || about.stream ? silencesNow.covering(about) : silencesNow.inForce;
    list.replaceChildren(...(inForce.length > 0 ? [silenceList(inForce, line)] : []));
  };
  silencesNow.addEventListener("change", draw);
  draw();
  await showOnce(dialog);
  silencesNow.removeEventListener("change", draw);
}

/**
 * Silences in force, each with a button that ends it.
 *
 * @param {Silence[]} silences
 * @param {HTMLElement} line for what went wrong, as `problem` makes it
 */
export function silenceList(silences, line) {
  const list = element("ul", "silences", ...silences.map((each) => row(each, line)));
  list.setAttribute("aria-label", "Silences in force");
  return list;
}

/**
 * @param {Silence} silence
 * @param {HTMLElement} line
 */
function row(silence, line) {
  const { id, until, by, may_end } = silence;
  const what = silenced(silence);
  const end = button("end", () => act(), "End silence");
  end.setAttribute("aria-label", `End silence of ${what}`);
  const act = async () => {
    [end.disabled, line.textContent] = [true, ""];
    await silencesNow.end(id).catch((error) => (line.textContent = error.message));
    end.disabled = false;
  };
  end.hidden = !may_end;
  const who = by && by !== NOBODY ? `, by ${by}` : "";
  const said = element("span", "", element("b", "", what), ` until ${hourOf(until)}${who}`);
  return element("li", "", said, end);
}

/** When a silence ends, to the minute: what was asked for until 8:00 ends a moment before or after it.
 * @param {number} at seconds since 1970
 */
export function hourOf(at) {
  return briefly(Math.round(at / 60) * 60).replace(/:\d\d$/, "");
}

/** @param {About} about */
function words({ rule, stream }) {
  if (rule !== null) return "The rule tells nobody meanwhile. What it is met by is listed in the history.";
  if (stream !== null) return "Nobody is told what happens there meanwhile. It is seen, kept and listed all the same.";
  return "Nobody is told of anything meanwhile. All is seen, kept and listed all the same.";
}

/** @param {string} value of a field for a time here */
function secondsUntil(value) {
  return Math.min(Math.max(60, Math.ceil((new Date(value).getTime() - Date.now()) / 1000)), LONGEST_S);
}

/** A time here as its field has it, to the minute.
 * @param {number} at ms since 1970
 */
function local(at) {
  const date = new Date(at);
  return `${dayOf(at / 1000)}T${[date.getHours(), date.getMinutes()].map((each) => String(each).padStart(2, "0")).join(":")}`;
}
