// @ts-check
// JPEG pictures over plain HTTP, for browsers and networks where WebRTC brings none.

import { MultipartParser } from "./multipart.js";
import { refusal } from "./problem.js";

/** Two a second: enough to see what is going on, and little enough for a page of many tiles. */
const STILL_PAUSE_MS = 500;

/** @typedef {(picture: ImageBitmap) => void} OnPicture the receiver closes the picture */
/** @typedef {(reason: string) => void} OnEnd called once, never after closing */

/**
 * Counts endless responses. A browser opens six HTTP/1.1 connections to a host; three for pictures leave one for
 * the events and two for everything else.
 */
export class PictureSlots {
  #free;

  /** @param {number} [size] */
  constructor(size = 3) {
    this.#free = size;
  }

  /** @returns {boolean} whether there was a free slot; it is taken now */
  take() {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  give() {
    this.#free++;
  }
}

/**
 * Reads a multipart/x-mixed-replace stream. Not an <img>: an <img> tells neither its frame rate nor that its
 * pictures have stopped, and some browsers keep its connection open after it is gone.
 *
 * @param {string} url
 * @param {OnPicture} onpicture
 * @param {OnEnd} onend
 * @returns {() => void} closes the stream
 */
export function streamPictures(url, onpicture, onend) {
  return start(onend, async (signal) => {
    const response = await get(url, signal);
    const parser = new MultipartParser(response.headers.get("Content-Type") ?? "");
    const show = newestDecoder(signal, onpicture);
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error("The server ended the picture stream");
      parser.push(value).forEach(show);
    }
  });
}

/**
 * Fetches one still after the other.
 *
 * @param {string} url
 * @param {OnPicture} onpicture
 * @param {OnEnd} onend
 * @param {number} [count] of stills, endless when left out
 * @returns {() => void} closes the poll
 */
export function pollPictures(url, onpicture, onend, count = Infinity) {
  return start(onend, async (signal) => {
    const show = newestDecoder(signal, onpicture);
    for (let left = count; left > 0; left--) {
      const response = await get(url, signal);
      show(new Uint8Array(await response.arrayBuffer()));
      if (left > 1) await new Promise((resolve) => setTimeout(resolve, STILL_PAUSE_MS));
      signal.throwIfAborted();
    }
  });
}

/**
 * @param {OnEnd} onend
 * @param {(signal: AbortSignal) => Promise<void>} run
 */
function start(onend, run) {
  const abort = new AbortController();
  run(abort.signal).catch((error) => {
    if (abort.signal.aborted) return;
    onend(error instanceof TypeError ? "The server is not reachable" : error.message);
  });
  return () => abort.abort();
}

/**
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function get(url, signal) {
  const response = await fetch(url, { signal, cache: "no-store" });
  if (!response.ok) throw new Error(await refusal(response));
  return response;
}

/**
 * Decodes one picture at a time; of those that arrive meanwhile only the newest is decoded.
 *
 * @param {AbortSignal} signal
 * @param {OnPicture} onpicture
 * @returns {(jpeg: Uint8Array<ArrayBuffer>) => void}
 */
function newestDecoder(signal, onpicture) {
  /** @type {Uint8Array<ArrayBuffer> | null} */
  let newest = null;
  let busy = false;
  const decode = async () => {
    busy = true;
    while (newest) {
      const blob = new Blob([newest], { type: "image/jpeg" });
      newest = null;
      const picture = await createImageBitmap(blob).catch(() => null); // one broken picture is not the end
      if (signal.aborted) picture?.close();
      else if (picture) onpicture(picture);
    }
    busy = false;
  };
  return (jpeg) => {
    newest = jpeg;
    if (!busy) decode();
  };
}
