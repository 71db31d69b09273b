// @ts-check
// When the pictures of a fragmented MP4 are shown (ISO/IEC 14496-12 sections 8.4.2, 8.8). Pure.

/** @typedef {{ kind: string, view: DataView }} Part a box of the file, without its head */

const HEAD = 8;
const TFHD_BASE = 0x1;
const TFHD_DESCRIPTION = 0x2;
const TFHD_DURATION = 0x8;
const TRUN_OFFSET = 0x1;
const TRUN_FIRST_FLAGS = 0x4;
const TRUN_DURATION = 0x100;
const TRUN_SIZE = 0x200;
const TRUN_FLAGS = 0x400;
const TRUN_SHIFT = 0x800;

/**
 * Ticks a second of the track of pictures.
 *
 * @param {Uint8Array} init what stands before the fragments
 * @returns {{ track: number, timescale: number } | null} null where it has none
 */
export function pictureTrack(init) {
  for (const moov of partsOf(viewOf(init), "moov"))
    for (const trak of partsOf(moov.view, "trak"))
      for (const mdia of partsOf(trak.view, "mdia")) {
        const [handler] = partsOf(mdia.view, "hdlr");
        const [media] = partsOf(mdia.view, "mdhd");
        const [head] = partsOf(trak.view, "tkhd");
        if (!handler || !media || !head || word(handler.view, 8) !== "vide") continue;
        const long = media.view.getUint8(0) === 1;
        return {
          track: head.view.getUint32(head.view.getUint8(0) === 1 ? 20 : 12),
          timescale: media.view.getUint32(long ? 20 : 12),
        };
      }
  return null;
}

/**
 * When each picture of some fragments is shown, and for how long.
 *
 * @param {Uint8Array} fragments whole ones
 * @param {{ track: number, timescale: number }} of
 * @returns {[timeUs: number, durationUs: number][]} in the order they are shown, from the segment's first picture
 */
export function pictureTimes(fragments, { track, timescale }) {
  /** @type {[number, number][]} */
  const times = [];
  const us = (/** @type {number} */ ticks) => Math.round((ticks * 1e6) / timescale);
  for (const moof of partsOf(viewOf(fragments), "moof"))
    for (const traf of partsOf(moof.view, "traf")) {
      const [head] = partsOf(traf.view, "tfhd");
      const [base] = partsOf(traf.view, "tfdt");
      if (!head || !base || head.view.getUint32(4) !== track) continue;
      let at = base.view.getUint8(0) === 1 ? Number(base.view.getBigUint64(4)) : base.view.getUint32(4);
      for (const run of partsOf(traf.view, "trun"))
        for (const [duration, shift] of runOf(run.view, usualDuration(head.view))) {
          times.push([us(at + shift), us(duration)]);
          at += duration;
        }
    }
  times.sort(([a], [b]) => a - b);
  // What a file says of a picture's duration is from its decoding to the next one's: they may be shown in another order.
  return times.map(([time, duration], at) => [time, (times[at + 1]?.[0] ?? time + lastOf(times, duration)) - time]);
}

/**
 * How long the last of some pictures is shown, as long as nobody knows what follows.
 *
 * @param {[number, number][]} times
 * @param {number} said by the file
 */
function lastOf(times, said) {
  const [before, last] = times.slice(-2);
  return before && last ? last[0] - before[0] : said;
}

/**
 * @param {DataView} view a `trun`
 * @param {number} usual ticks a picture is shown for where it does not say
 * @returns {[duration: number, shift: number][]} in ticks; the shift is from its decoding to its being shown
 */
function runOf(view, usual) {
  const flags = view.getUint32(0) & 0xffffff;
  let at = 8 + (flags & TRUN_OFFSET ? 4 : 0) + (flags & TRUN_FIRST_FLAGS ? 4 : 0);
  const take = (/** @type {number} */ flag) => (flags & flag ? view.getInt32((at += 4) - 4) : null);
  return Array.from({ length: view.getUint32(4) }, () => {
    const duration = take(TRUN_DURATION) ?? usual;
    take(TRUN_SIZE);
    take(TRUN_FLAGS);
    return /** @type {[number, number]} */ ([duration, take(TRUN_SHIFT) ?? 0]);
  });
}

/** @param {DataView} view a `tfhd` */
function usualDuration(view) {
  const flags = view.getUint32(0) & 0xffffff;
  if (!(flags & TFHD_DURATION)) return 0;
  return view.getUint32(8 + (flags & TFHD_BASE ? 8 : 0) + (flags & TFHD_DESCRIPTION ? 4 : 0));
}

/**
 * @param {DataView} view
 * @param {string} kind
 * @returns {Iterable<Part>}
 */
function* partsOf(view, kind) {
  for (let at = 0; at + HEAD <= view.byteLength;) {
    const said = view.getUint32(at);
    const wide = said === 1 && at + 16 <= view.byteLength;
    const size = wide ? Number(view.getBigUint64(at + 8)) : said === 0 ? view.byteLength - at : said;
    if (size < HEAD || at + size > view.byteLength) return;
    const head = wide ? 16 : HEAD;
    if (word(view, at + 4) === kind)
      yield { kind, view: new DataView(view.buffer, view.byteOffset + at + head, size - head) };
    at += size;
  }
}

/**
 * @param {DataView} view
 * @param {number} at
 */
function word(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((each) => view.getUint8(at + each)));
}

/** @param {Uint8Array} bytes */
function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
