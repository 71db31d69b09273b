// @ts-check
// Splits a multipart/x-mixed-replace body (RFC 2046, section 5.1) into its parts. Pure.

const DECODER = new TextDecoder("latin1");
const ENCODER = new TextEncoder();
const HEADER_END = ENCODER.encode("\r\n\r\n");
/** Far above any JPEG of a camera: a body that never ends a part must not fill the memory. */
const MAX_PART_BYTES = 32 * 1024 * 1024;

export class MultipartParser {
  #buffer = new Uint8Array(0);
  #delimiter;

  /** @param {string} contentType of the response, with its boundary parameter */
  constructor(contentType) {
    const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
    if (!boundary) throw new Error(`No boundary in Content-Type ${contentType}`);
    // Some servers write the dashes into the parameter as well.
    this.#delimiter = ENCODER.encode(boundary.startsWith("--") ? boundary : `--${boundary}`);
  }

  /**
   * @param {Uint8Array} chunk the next bytes of the body
   * @returns {Uint8Array<ArrayBuffer>[]} bodies of the parts that are complete now
   */
  push(chunk) {
    const joined = new Uint8Array(this.#buffer.length + chunk.length);
    joined.set(this.#buffer);
    joined.set(chunk, this.#buffer.length);
    this.#buffer = joined;
    if (joined.length > MAX_PART_BYTES) throw new Error("A picture of the stream is too large");
    const parts = [];
    for (let part = this.#take(); part; part = this.#take()) parts.push(part);
    return parts;
  }

  #take() {
    const start = indexOf(this.#buffer, this.#delimiter, 0);
    if (start < 0) return null;
    const headerEnd = indexOf(this.#buffer, HEADER_END, start);
    if (headerEnd < 0) return null;
    const bodyStart = headerEnd + HEADER_END.length;
    const headers = DECODER.decode(this.#buffer.subarray(start, headerEnd));
    const length = /^content-length:\s*(\d+)/im.exec(headers)?.[1];
    const bodyEnd = length ? bodyStart + Number(length) : this.#endWithoutLength(bodyStart);
    if (bodyEnd < 0 || bodyEnd > this.#buffer.length) return null;
    const body = this.#buffer.slice(bodyStart, bodyEnd);
    this.#buffer = this.#buffer.slice(bodyEnd);
    return body;
  }

  /** @param {number} bodyStart */
  #endWithoutLength(bodyStart) {
    const next = indexOf(this.#buffer, this.#delimiter, bodyStart);
    return next < 0 ? -1 : next - 2; // the line break before a delimiter belongs to it
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array} wanted
 * @param {number} from
 */
function indexOf(bytes, wanted, from) {
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let i = 1;
    while (i < wanted.length && bytes[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}
