// @ts-check
// One viewing connection of a camera's own video. No DOM: it also runs where pictures are decoded.

import { read } from "./clean_wire.js";

/** @typedef {import("./clean_wire.js").CleanMessage} CleanMessage */

export class CleanSocket {
  #socket;
  #closed = false;
  /** Whether it is seen small, and what the server knows of that. */
  #small;
  #said;
  /** Bytes of pictures that came. */
  bytes = 0;

  /**
   * @param {string} url
   * @param {boolean} small whether it is seen small: the camera's smaller video will do
   * @param {(message: CleanMessage) => void} onmessage
   * @param {(reason: string) => void} onlost called once, never after close()
   */
  constructor(url, small, onmessage, onlost) {
    this.#small = this.#said = small;
    const socket = (this.#socket = new WebSocket(small ? `${url}?size=small` : url));
    let isOpen = false;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      isOpen = true;
      this.#say();
    };
    socket.onmessage = ({ data }) => {
      if (this.#closed) return;
      try {
        const message = read(data);
        if (message?.type === "picture") this.bytes += message.data.length;
        if (message) onmessage(message);
      } catch (error) {
        this.close();
        onlost(`The camera’s own video could not be read: ${/** @type {Error} */ (error).message}`);
      }
    };
    socket.onclose = ({ reason }) => {
      if (this.#closed) return;
      this.#closed = true;
      if (reason) onlost(reason);
      else
        onlost(isOpen ? "The connection for the camera’s own video ended" : "No WebSocket comes through to the server");
    };
  }

  set small(/** @type {boolean} */ small) {
    this.#small = small;
    this.#say();
  }

  #say() {
    if (this.#small === this.#said || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#said = this.#small;
    this.#socket.send(JSON.stringify({ size: this.#small ? "small" : "large" }));
  }

  /** @param {boolean} paused whether nothing is to be sent for now */
  pause(paused) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ pause: paused }));
  }

  close() {
    this.#closed = true;
    this.#socket.close();
  }
}

/**
 * The WebSocket's address of a path of this page's server.
 *
 * @param {string} path relative to the page
 */
export function socketUrl(path) {
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  return url.href;
}
