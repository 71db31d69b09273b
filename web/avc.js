// @ts-check
// H.264 as cameras send it (Annex B): its NAL units, and what a player must know of it before the first. Pure.

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ sps: Bytes, pps: Bytes[] }} Sets parameter sets, without start codes */
/** @typedef {{ codec: string, chroma: number, depth: [luma: number, chroma: number], width: number, height: number }} Described */

const SPS = 7;
const PPS = 8;
const DELIMITER = 9;
/** Profiles whose parameter sets say how colour is stored: ITU-T H.264, 7.3.2.1.1. */
const HIGH = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/**
 * The NAL units of an access unit, in their order, without start codes: ITU-T H.264, annex B.
 *
 * @param {Bytes} unit
 * @returns {Bytes[]} views of it
 */
export function nalUnits(unit) {
  const found = [];
  let begin = -1;
  for (let at = unit.indexOf(1, 2); at !== -1; at = unit.indexOf(1, at + 1)) {
    if (unit[at - 1] !== 0 || unit[at - 2] !== 0) continue;
    if (begin >= 0) found.push(trimmed(unit, begin, at - 2));
    begin = at + 1;
  }
  if (begin >= 0) found.push(trimmed(unit, begin, unit.length));
  return found.filter(({ length }) => length > 0);
}

/** Without the zeros behind it, which belong to the next start code.
 * @param {Bytes} unit
 * @param {number} begin
 * @param {number} end
 */
function trimmed(unit, begin, end) {
  while (end > begin && unit[end - 1] === 0) end--;
  return unit.subarray(begin, end);
}

/** @param {Bytes} nal */
export function kindOf(nal) {
  return (nal[0] ?? 0) & 0x1f;
}

/**
 * @param {Bytes[]} nals of a key frame
 * @returns {Sets | null} null where one of the two kinds is missing
 */
export function parameterSets(nals) {
  const sps = nals.find((nal) => kindOf(nal) === SPS);
  const pps = nals.filter((nal) => kindOf(nal) === PPS);
  return sps && sps.length >= 4 && pps.length > 0 ? { sps, pps } : null;
}

/**
 * An access unit as files have it: each NAL unit behind its length in four bytes, those left out that the file's head
 * has (ISO/IEC 14496-15, 5.3.3).
 *
 * @param {Bytes[]} nals
 * @returns {Bytes}
 */
export function lengthPrefixed(nals) {
  const kept = nals.filter((nal) => ![SPS, PPS, DELIMITER].includes(kindOf(nal)));
  const bytes = new Uint8Array(kept.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const nal of kept) {
    view.setUint32(at, nal.length);
    bytes.set(nal, at + 4);
    at += 4 + nal.length;
  }
  return bytes;
}

/**
 * @param {Bytes} sps
 * @returns {Described} codec: as browsers want it named (RFC 6381)
 */
export function described(sps) {
  const bits = new Bits(sps);
  const codec = `avc1.${[...sps.subarray(1, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  bits.skip(32);
  bits.unsigned(); // its number
  let [chroma, luma_depth, chroma_depth, isSeparate] = [1, 8, 8, 0];
  if (HIGH.has(sps[1] ?? 0)) {
    chroma = bits.unsigned();
    if (chroma === 3) isSeparate = bits.take(1);
    luma_depth += bits.unsigned();
    chroma_depth += bits.unsigned();
    bits.skip(1);
    if (bits.take(1)) skipScaling(bits, chroma === 3 ? 12 : 8);
  }
  skipOrder(bits);
  const columns = 16 * (bits.unsigned() + 1);
  const rows = bits.unsigned() + 1;
  const isProgressive = bits.take(1);
  if (!isProgressive) bits.skip(1);
  bits.skip(1);
  const field = 2 - isProgressive;
  const [x, y] = isSeparate ? [1, field] : [chroma === 1 || chroma === 2 ? 2 : 1, (chroma === 1 ? 2 : 1) * field];
  const [left, right, top, bottom] = bits.take(1) ? [bits, bits, bits, bits].map((each) => each.unsigned()) : [];
  const width = columns - x * ((left ?? 0) + (right ?? 0));
  const height = 16 * rows * field - y * ((top ?? 0) + (bottom ?? 0));
  return { codec, chroma, depth: [luma_depth, chroma_depth], width, height };
}

/**
 * @param {Bits} bits
 * @param {number} lists
 */
function skipScaling(bits, lists) {
  for (let list = 0; list < lists; list++) {
    if (!bits.take(1)) continue;
    let [last, next] = [8, 8];
    for (let place = 0; place < (list < 6 ? 16 : 64); place++) {
      if (next !== 0) next = (last + bits.signed() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

/** Skips how frames are counted, and ordered.
 * @param {Bits} bits
 */
function skipOrder(bits) {
  bits.unsigned();
  const kind = bits.unsigned();
  if (kind === 0) bits.unsigned();
  else if (kind === 1) {
    bits.skip(1);
    bits.unsigned();
    bits.unsigned();
    for (let left = Math.min(bits.unsigned(), 255); left > 0; left--) bits.unsigned();
  }
  bits.unsigned();
  bits.skip(1);
}

/** The bits of a NAL unit, without the bytes that keep start codes out of it: ITU-T H.264, 7.4.1 and 9.1. */
class Bits {
  #bytes;
  #at = 0;

  /** @param {Bytes} nal */
  constructor(nal) {
    this.#bytes = nal.filter((byte, at) => !(byte === 3 && nal[at - 1] === 0 && nal[at - 2] === 0));
  }

  /** @param {number} count */
  skip(count) {
    this.#at += count;
  }

  /** @param {number} count at most 31; what lies behind the end is 0 */
  take(count) {
    let value = 0;
    for (; count > 0; count--, this.#at++)
      value = (value << 1) | (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
    return value;
  }

  unsigned() {
    let zeros = 0;
    while (zeros < 31 && !this.take(1)) zeros++;
    return zeros === 31 ? 0 : 2 ** zeros - 1 + this.take(zeros);
  }

  signed() {
    const value = this.unsigned();
    return value & 1 ? (value + 1) / 2 : -value / 2;
  }
}
