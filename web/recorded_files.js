// @ts-check
// Parts of recorded files. No DOM.

import { fileOf, initOf } from "./recordings.js";

/** @typedef {import("./reel.js").Piece} Piece */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

export class RecordedFiles {
  #stream;
  /** What stands before the fragments, by segment.
   * @type {Map<string, Promise<Bytes>>}
   */
  #inits = new Map();

  /** @param {string} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  /**
   * @param {Piece} piece
   * @param {AbortSignal} signal
   * @returns {Promise<[init: Bytes, bytes: Bytes]>}
   * @throws {Error} a sentence
   */
  fetch({ segment, offset, size }, signal) {
    // A file that grows is another one to a browser's cache each time, which then asks for all of it.
    const cache = segment.ended_at === null ? "no-store" : "default";
    const path = fileOf(this.#stream, segment.id);
    return Promise.all([this.#initOf(segment.id), bytesAt(path, { signal, offset, size, cache })]);
  }

  /** @param {string[]} segments the others are let go of */
  keep(segments) {
    for (const id of this.#inits.keys()) if (!segments.includes(id)) this.#inits.delete(id);
  }

  /** @param {string} segment */
  #initOf(segment) {
    const known = this.#inits.get(segment) ?? bytesAt(initOf(this.#stream, segment));
    this.#inits.set(segment, known);
    known.catch(() => this.#inits.delete(segment));
    return known;
  }
}

/**
 * @param {string} path
 * @param {{ offset?: number, size?: number } & RequestInit} [part] of it; the whole where there is no size
 * @returns {Promise<Bytes>}
 */
async function bytesAt(path, { offset = 0, size = 0, ...init } = {}) {
  const headers = size > 0 ? { Range: `bytes=${offset}-${offset + size - 1}` } : undefined;
  const response = await fetch(path, { ...init, ...(headers ? { headers } : {}) });
  if (!response.ok) throw new Error(`A part of the recording cannot be had: the server answered ${response.status}.`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return size > 0 && response.status === 200 ? bytes.slice(offset, offset + size) : bytes; // who knows no ranges sends all
}
