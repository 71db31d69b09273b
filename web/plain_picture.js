// @ts-check
// A picture's file without what has browsers turn it: they read that of some kinds and not of others, and the server, which
// says itself how it turned one, of all. Pure.

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {"image/jpeg" | "image/png" | "image/webp"} Kind */

/**
 * What a file is, by its first bytes: its name may say anything.
 *
 * @param {Uint8Array} bytes
 * @returns {Kind | ""} "" for what is not taken
 */
export function kindOf(bytes) {
  if (word(bytes, 0, 3) === "\xff\xd8\xff") return "image/jpeg";
  if (word(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "image/png";
  return word(bytes, 0, 4) === "RIFF" && word(bytes, 8, 4) === "WEBP" ? "image/webp" : "";
}

/**
 * @param {Bytes} bytes changed where that is enough
 * @returns {Bytes[]} the parts of the same picture, its pixels as they lie in the file
 */
export function untold(bytes) {
  const kind = kindOf(bytes);
  if (kind === "image/jpeg") return [untoldJpeg(bytes)];
  if (kind === "image/png") return untoldPng(bytes);
  return [kind === "image/webp" ? untoldWebp(bytes) : bytes];
}

/** Where EXIF and XMP lie (APP1) there is a comment then: ITU-T T.81, B.1.
 * @param {Bytes} bytes
 */
function untoldJpeg(bytes) {
  const [scan, app1, comment] = [0xda, 0xe1, 0xfe];
  for (let at = 2; bytes[at] === 0xff && bytes[at + 1] !== scan;) {
    if (bytes[at + 1] === 0xff) {
      at++; // a byte of nothing
      continue;
    }
    if (bytes[at + 1] === app1) bytes[at + 1] = comment;
    at += 2 + Math.max(2, view(bytes).getUint16(Math.min(at + 2, bytes.length - 2)));
  }
  return bytes;
}

/** Without the chunk of EXIF: PNG, third edition, 11.3.4.5.
 * @param {Bytes} bytes
 */
function untoldPng(bytes) {
  const parts = [];
  let kept = 0;
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = Math.min(at + 12 + view(bytes).getUint32(at), bytes.length);
    if (word(bytes, at + 4, 4) === "eXIf") {
      parts.push(bytes.subarray(kept, at));
      kept = end;
    }
    at = end;
  }
  return [...parts, bytes.subarray(kept)];
}

/** Its chunks of EXIF and XMP by a name that nobody knows, and no word of them: RFC 9649, 2.7.
 * @param {Bytes} bytes
 */
function untoldWebp(bytes) {
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = word(bytes, at, 4);
    if (name === "VP8X") bytes[at + 8] = (bytes[at + 8] ?? 0) & ~0x0c;
    else if (name === "EXIF" || name === "XMP ") bytes.fill(0x78, at, at + 4);
    const size = view(bytes).getUint32(at + 4, true);
    at += 8 + size + (size & 1);
  }
  return bytes;
}

/**
 * How a canvas is to be set for a picture to be painted upright, by EXIF's Orientation: CIPA DC-008, 4.6.5.
 *
 * @param {number} orientation 1 to 8
 * @param {{ width: number, height: number }} size upright
 * @returns {[a: number, b: number, c: number, d: number, e: number, f: number]} as `transform` takes it
 */
export function turn(orientation, { width, height }) {
  switch (orientation) {
    case 2:
      return [-1, 0, 0, 1, width, 0];
    case 3:
      return [-1, 0, 0, -1, width, height];
    case 4:
      return [1, 0, 0, -1, 0, height];
    case 5:
      return [0, 1, 1, 0, 0, 0];
    case 6:
      return [0, 1, -1, 0, width, 0];
    case 7:
      return [0, -1, -1, 0, width, height];
    case 8:
      return [0, -1, 1, 0, 0, height];
    default:
      return [1, 0, 0, 1, 0, 0];
  }
}

/** Whether width and height change places.
 * @param {number} orientation
 */
export function liesOnItsSide(orientation) {
  return orientation > 4;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} length
 */
function word(bytes, at, length) {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

/** @param {Bytes} bytes */
function view(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
