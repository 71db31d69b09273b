// @ts-check
// Video for Media Source Extensions, a fragment a frame: ISO/IEC 14496-12 and, for H.264, 14496-15. Pure.

import { described } from "./avc.js";

/** @typedef {import("./avc.js").Bytes} Bytes */
/** @typedef {import("./avc.js").Sets} Sets */
/**
 * @typedef {object} Sample
 * @property {number} decode when it is decoded, ticks
 * @property {number} shown when it is shown, ticks: before or after others that are decoded before it
 * @property {number} lasts ticks
 * @property {boolean} key
 */

/** Ticks a second, as RTP counts video. */
export const TICKS = 90_000;
/** What the fragment's head says of a frame that others are needed for, and of one that stands alone (8.8.3.1). */
const DEPENDS = 0x0101_0000;
const STANDS_ALONE = 0x0200_0000;
const UNITY = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/**
 * What stands before the first fragment. It names no duration, by which browsers know that the video is live.
 *
 * @param {Sets} sets
 * @returns {Bytes}
 */
export function head(sets) {
  const { width, height } = described(sets.sps);
  const sample = box(
    "avc1",
    zeros(6), u16(1), zeros(16), u16(width, height), u32(0x480000, 0x480000), zeros(4), u16(1), zeros(32),
    u16(24, 0xffff), box("avcC", record(sets)),
  ); // prettier-ignore
  const table = box(
    "stbl",
    box("stsd", u32(0, 1), sample),
    box("stts", u32(0, 0)),
    box("stsc", u32(0, 0)),
    box("stsz", u32(0, 0, 0)),
    box("stco", u32(0, 0)),
  );
  const information = box(
    "minf",
    box("vmhd", u32(1, 0, 0)),
    box("dinf", box("dref", u32(0, 1), box("url ", u32(1)))),
    table,
  );
  const media = box(
    "mdia",
    box("mdhd", u32(0, 0, 0, TICKS, 0), u16(0x55c4, 0)),
    box("hdlr", u32(0, 0), word("vide"), zeros(12), zeros(1)),
    information,
  );
  const track = box(
    "trak",
    box("tkhd", u32(3, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...UNITY, width * 0x10000, height * 0x10000)),
    media,
  );
  const movie = box("mvhd", u32(0, 0, 0, TICKS, 0, 0x10000, 0x1000000, 0, 0, ...UNITY, 0, 0, 0, 0, 0, 0, 2));
  const extends_ = box("mvex", box("trex", u32(0, 1, 1, 0, 0, 0)));
  return joined([box("ftyp", word("iso5"), u32(0), word("iso5avc1")), box("moov", movie, track, extends_)]);
}

/**
 * One frame.
 *
 * @param {number} number of the fragment, from 1
 * @param {Sample} sample
 * @param {Bytes} data each NAL unit behind its length
 * @returns {Bytes}
 */
export function fragment(number, { decode, shown, lasts, key }, data) {
  // Where its data begins, counted from the fragment's first byte, is known before it is made: every box has one size.
  const begins = 8 + 16 + 8 + 16 + 20 + 36 + 8;
  const run = u32(0x01000f01, 1, begins, lasts, data.length, key ? STANDS_ALONE : DEPENDS, shown - decode);
  const track = box(
    "traf",
    box("tfhd", u32(0x020000, 1)),
    box("tfdt", u32(0x01000000, Math.floor(decode / 2 ** 32), decode)),
    box("trun", run),
  );
  return joined([box("moof", box("mfhd", u32(0, number)), track), box("mdat", data)]);
}

/** @param {Sets} sets */
export function mimeOf({ sps }) {
  return `video/mp4; codecs="${described(sps).codec}"`;
}

/** AVCDecoderConfigurationRecord: ISO/IEC 14496-15, 5.3.3.1.
 * @param {Sets} sets
 */
function record({ sps, pps }) {
  const { chroma, depth } = described(sps);
  const [profile = 0, compatible = 0, level = 0] = sps.subarray(1, 4);
  const hasColour = ![66, 77, 88].includes(profile);
  return joined([
    bytes(1, profile, compatible, level, 0xff, 0xe1),
    u16(sps.length),
    sps,
    bytes(pps.length),
    ...pps.flatMap((each) => [u16(each.length), each]),
    ...(hasColour ? [bytes(0xfc | chroma, 0xf8 | (depth[0] - 8), 0xf8 | (depth[1] - 8), 0)] : []),
  ]);
}

/**
 * @param {string} kind
 * @param {...Bytes} content
 */
function box(kind, ...content) {
  const length = content.reduce((sum, part) => sum + part.length, 8);
  return joined([u32(length), word(kind), ...content]);
}

/** @param {Bytes[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {...number} values */
function bytes(...values) {
  return Uint8Array.from(values);
}

/** @param {...number} values */
function u16(...values) {
  return bytes(...values.flatMap((value) => [value >> 8, value]));
}

/** @param {...number} values of which the lowest 32 bits are written */
function u32(...values) {
  return bytes(...values.flatMap((value) => [value >>> 24, value >>> 16, value >>> 8, value]));
}

/** @param {string} text */
function word(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** @param {number} count */
function zeros(count) {
  return new Uint8Array(count);
}
