// @ts-check
// What is looked at on the page of alerts, as its address has it. Pure.

/** @typedef {import("./archive.js").KeptEvent} KeptEvent */
/** @typedef {"rules" | "history" | "outlets"} Part */
/**
 * @typedef {object} Place
 * @property {Part} part
 * @property {string | null} edit name of the rule that is changed; "": a new one; null: none
 * @property {{ streams: string[], labels: string[], zones: string[], lines: string[] }} about what a new one begins with
 */

/** The place on the page; no stream is called so, for a name does not begin with a plus. */
const PLACE = "+alerts";
const EDIT = "rule";
/** @type {Part[]} */
const PARTS = ["rules", "history", "outlets"];
const ABOUT = /** @type {const} */ ({ streams: "stream", labels: "class", zones: "zone", lines: "line" });

/** @param {string} place as the address names it */
export function isAlerts(place) {
  return place === PLACE || place.startsWith(`${PLACE}?`);
}

/**
 * @param {string} hash of the address, without its sign
 * @returns {Place}
 */
export function read(hash) {
  const given = new URLSearchParams(hash.includes("?") ? hash.slice(hash.indexOf("?") + 1) : "");
  const { streams, labels, zones, lines } = ABOUT;
  return {
    part: PARTS.find((part) => part === given.get("part")) ?? "rules",
    edit: given.get(EDIT),
    about: {
      streams: given.getAll(streams),
      labels: given.getAll(labels),
      zones: given.getAll(zones),
      lines: given.getAll(lines),
    },
  };
}

/** @param {Part} part */
export function partAt(part) {
  return part === "rules" ? `#${PLACE}` : `#${PLACE}?${new URLSearchParams({ part })}`;
}

/** @param {string} name of a rule; "" for a new one */
export function editorOf(name) {
  return `#${PLACE}?${new URLSearchParams({ [EDIT]: name })}`;
}

/** A new rule that an event would have met.
 * @param {KeptEvent} event
 */
export function ruleLike({ stream, label, zones, marks }) {
  const lines = marks.filter(({ kind }) => kind === "cross").map(({ where }) => where);
  const about = { streams: [stream], labels: [label], zones, lines: [...new Set(lines)] };
  const given = Object.entries(about).flatMap(([key, names]) =>
    names.map((name) => [ABOUT[/** @type {keyof typeof ABOUT} */ (key)], name]),
  );
  return `#${PLACE}?${new URLSearchParams([[EDIT, ""], ...given])}`;
}
