// @ts-check
// What a picture's age on the glass is made of, stage by stage, as the server's ledger has it. Pure.

/**
 * @typedef {object} Latency medians of the last seconds, ms; null where a stage is not known
 * @property {number | null} [camera] the camera's own delay, by its clock
 * @property {number | null} [decode] from a frame's arrival to its being decoded
 * @property {number | null} [queue] to its being sent to the model
 * @property {number | null} [model] to the answer
 * @property {number | null} [hold] to its being drawn
 * @property {number | null} [encode] to its having been encoded
 * @property {number | null} [send] to its being handed to the network
 * @property {number | null} [network] to its having come to a page
 * @property {number | null} [paint] to its being painted there
 * @property {number | null} [total] of all but the camera's
 */

/** @typedef {{ name: string, word: string, ms: number, kind: string }} DelayPart */

/** In the order of the way: what the server calls it, the word on a tile, and the name where there is room.
 * @type {[keyof Latency, string, string][]}
 */
const STAGES = [
  ["camera", "camera", "The camera’s own"],
  ["decode", "decode", "Decoding"],
  ["queue", "queue", "Waiting for the model"],
  ["model", "model", "Model"],
  ["hold", "hold", "Held for its boxes"],
  ["encode", "encode", "Drawing and encoding"],
  ["send", "send", "Sending"],
  ["network", "network", "Network"],
  ["paint", "paint", "Decoding and painting here"],
];

/**
 * @param {Latency | null | undefined} latency
 * @returns {DelayPart[]} the stages that are known
 */
export function stages(latency) {
  return STAGES.flatMap(([kind, word, name]) => {
    const ms = latency?.[kind];
    return typeof ms === "number" && ms >= 0 ? [{ name, word, ms, kind }] : [];
  });
}

/**
 * A bar in words, as "camera 5 · queue 12 · model 41 ms"; what rounds to nothing is left out.
 *
 * @param {DelayPart[]} parts
 */
export function inWords(parts) {
  const told = parts.filter(({ ms }) => Math.round(ms) > 0);
  return told.length ? `${told.map(({ word, ms }) => `${word} ${Math.round(ms)}`).join(" · ")} ms` : "";
}
