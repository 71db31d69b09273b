// @ts-check
// Zones, lines and masks of a stream: as the server has them, as shapes to be drawn, and what is wrong with one. No DOM.

import { request } from "./request.js";

/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {"zone" | "line" | "mask"} Kind */
/**
 * @typedef {object} Asks which things count there
 * @property {"bottom" | "center"} anchor the point of a box that is in or out
 * @property {string[]} labels empty: any class
 * @property {number} min_score 0..1
 * @property {number} min_size of the box, as a share of the picture
 * @property {number} max_size
 * @property {string[]} hours such as "22:00-06:00"; empty: all day
 * @property {number | null} dwell seconds in a zone after which that is told; null: never
 */
/** @typedef {{ id: number, kind: Kind, name: string, points: Point[], asks: Asks }} Shape a mask has no name */
/** @typedef {Partial<Asks> & { points: Point[] }} Place */
/** @typedef {{ zones: Record<string, Place>, lines: Record<string, Place>, masks: Point[][] }} Places */
/** @typedef {{ places: Places, tag: string }} Read with what it is known by */

/** @type {Readonly<Asks>} */
export const ANYTHING = {
  dwell: null,
  anchor: "bottom",
  labels: [],
  min_score: 0,
  min_size: 0,
  max_size: 1,
  hours: [],
};
/** As the server has it: streamer/values/name.py, streamer/config/watching.py. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const MOST_PLACES = 50;
export const MOST_POINTS = 100;
/** @type {Record<Kind, "zones" | "lines" | "masks">} */
export const KEYS = { zone: "zones", line: "lines", mask: "masks" };
const SPAN = /^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/;
const LONGEST_DWELL = 86_400;

/** @param {Kind} kind */
export function fewest(kind) {
  return kind === "line" ? 2 : 3;
}

/** @param {Kind} kind */
export function most(kind) {
  return kind === "line" ? 2 : MOST_POINTS;
}

/**
 * @param {string} stream
 * @returns {Promise<Read>}
 * @throws {import("./request.js").Refusal}
 */
export async function read(stream) {
  const response = await request("GET", pathOf(stream));
  return { places: await response.json(), tag: response.headers.get("ETag") ?? "" };
}

/** @param {string} stream */
export function pathOf(stream) {
  return `api/streams/${encodeURIComponent(stream)}/places`;
}

/**
 * @param {Places} places
 * @returns {Shape[]}
 */
export function shapesOf({ zones, lines, masks }) {
  /** @type {(kind: Kind, name: string, place: Place) => Omit<Shape, "id">} */
  const shape = (kind, name, { points, ...asks }) => ({ kind, name, points, asks: { ...ANYTHING, ...asks } });
  return [
    ...Object.entries(zones).map(([name, place]) => shape("zone", name, place)),
    ...Object.entries(lines).map(([name, place]) => shape("line", name, place)),
    ...masks.map((points) => shape("mask", "", { points })),
  ].map((each, index) => ({ ...each, id: index + 1 }));
}

/**
 * The same as the server takes it, without what goes without saying.
 *
 * @param {Shape[]} shapes
 * @returns {Places}
 */
export function placesOf(shapes) {
  /** @param {Kind} kind */
  const named = (kind) =>
    Object.fromEntries(shapes.filter((shape) => shape.kind === kind).map((shape) => [shape.name, said(shape)]));
  const masks = shapes.filter(({ kind }) => kind === "mask").map(({ points }) => points);
  return { zones: named("zone"), lines: named("line"), masks };
}

/**
 * @param {Shape} shape
 * @returns {Place}
 */
function said({ kind, points, asks }) {
  const given = Object.entries(asks).filter(([key, value]) => {
    if (key === "dwell" && kind !== "zone") return false;
    return JSON.stringify(value) !== JSON.stringify(ANYTHING[/** @type {keyof Asks} */ (key)]);
  });
  return { points, ...Object.fromEntries(given) };
}

/**
 * What the server would not take of a shape, each at its field.
 *
 * @param {Shape} shape
 * @param {Shape[]} shapes all of them
 * @returns {Partial<Record<keyof Asks | "name" | "points", string>>}
 */
export function amiss(shape, shapes) {
  const { kind, name, points, asks } = shape;
  if (kind === "mask") return {};
  /** @type {ReturnType<typeof amiss>} */
  const found = {};
  const twins = shapes.filter((other) => other.kind === kind && other.name === name);
  if (name === "") found.name = "It needs a name.";
  else if (!NAME.test(name))
    found.name = "1 to 64 letters, digits, dots, dashes and underscores, first a letter or digit.";
  else if (twins.length > 1) found.name = `There is another ${kind} of this name.`;
  const flat = kind === "line" && String(points[0]) === String(points[1]);
  if (flat) found.points = "It has no length.";
  if (!(asks.min_score >= 0 && asks.min_score <= 1)) found.min_score = "0 to 100 %.";
  for (const key of /** @type {const} */ (["min_size", "max_size"]))
    if (!(asks[key] >= 0 && asks[key] <= 1)) found[key] = "0 to 100 % of the picture.";
  if (asks.min_size > asks.max_size) found.max_size = "It is less than the smallest: nothing fits.";
  if (asks.dwell !== null && !(asks.dwell > 0 && asks.dwell <= LONGEST_DWELL))
    found.dwell = "More than 0 s, a day at most.";
  if (!asks.hours.every((span) => SPAN.test(span)))
    found.hours = "Each needs a beginning and an end, such as 22:00 and 06:00.";
  return found;
}

/**
 * The shape that a sentence of the server is about.
 *
 * @param {string} sentence such as "zones.yard.points.2.1: 1.5 is not allowed"
 * @param {Shape[]} shapes
 */
export function culprit(sentence, shapes) {
  const said = sentence.charAt(0).toLowerCase() + sentence.slice(1);
  const masks = shapes.filter(({ kind }) => kind === "mask");
  const about = shapes.filter((shape) => {
    const key = `${KEYS[shape.kind]}.${shape.kind === "mask" ? masks.indexOf(shape) : shape.name}`;
    return said.startsWith(`${key}:`) || said.startsWith(`${key}.`);
  });
  return about.sort((one, other) => other.name.length - one.name.length)[0]; // a name may have dots in it
}

/** A shape as it is called.
 * @param {Pick<Shape, "kind" | "name">} shape
 */
export function called({ kind, name }) {
  const word = { zone: "Zone", line: "Line", mask: "Mask" }[kind];
  return name ? `${word} ${name}` : word;
}
