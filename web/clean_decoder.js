// @ts-check
// A camera's own pictures decoded (WebCodecs), in a worker. What it cannot keep up with is left out up to a key picture.

/** @typedef {import("./clean_wire.js").Form} Form */
/** @typedef {import("./clean_wire.js").Picture} Picture */

/** Pictures that wait for the decoder at most, besides those of a group out of the server's memory. */
const MOST_WAITING = 15;
/** Where they come in a heap: four seconds of 30 a second. */
const MOST_HEAPED = 120;
/** A decoder that is given so many pictures and gives none is given up. */
const MOST_SILENT = 240;
/** Pictures that may still come out of it: those before them were damaged, and never will. */
const MOST_OWED = 64;

export class CleanDecoder {
  /** Pictures left out, since they came faster than they could be decoded. */
  dropped = 0;
  /** @type {VideoDecoder | null} */
  #decoder = null;
  /** By the times of the pictures it has.
   * @type {Map<number, Picture>}
   */
  #owed = new Map();
  /** Pictures that it was given since it gave one. */
  #silent = 0;
  #needsKey = true;
  /** @type {VideoDecoderConfig | null} */
  #config = null;
  #allowed = MOST_WAITING;
  #onframe;
  #onfail;

  /**
   * @param {(frame: VideoFrame, picture: Picture) => void} onframe in the order in which they are shown; it closes them
   * @param {(reason: string, lasting: boolean) => void} onfail lasting: it will be so with this form each time
   */
  constructor(onframe, onfail) {
    this.#onframe = onframe;
    this.#onfail = onfail;
  }

  /**
   * Begins anew.
   *
   * @param {Form} form
   * @returns {Promise<void>}
   */
  async open({ codec, reorder }) {
    this.close();
    // Without "description" it takes units as cameras send them: WebCodecs' registration of AVC, "annexb".
    const config = (this.#config = { codec, optimizeForLatency: reorder === 0 });
    const decoder = new VideoDecoder({
      output: (frame) => this.#decoded(frame),
      error: (error) =>
        decoder === this.#decoder && this.#fail(`The browser’s decoder gave up: ${error.message}`, false),
    });
    this.#decoder = decoder;
    decoder.configure(config); // before it is known whether it can: pictures are on their way already
    const { supported } = await VideoDecoder.isConfigSupported(config).catch(() => ({ supported: false }));
    if (!supported && decoder === this.#decoder) this.#fail(`This browser does not decode ${codec} by itself`, true);
  }

  /** @param {number} pictures that come at once, out of the server's memory */
  expect(pictures) {
    this.#allowed = MOST_WAITING + pictures;
  }

  /** One more comes in a heap, since the network held it up: that is no fault of the decoder's. */
  allow() {
    const waiting = MOST_WAITING + (this.#decoder?.decodeQueueSize ?? 0) + 1;
    this.#allowed = Math.max(this.#allowed, Math.min(waiting, MOST_HEAPED));
  }

  /**
   * @param {Picture} picture
   * @returns {boolean} whether it is going to be decoded
   */
  decode(picture) {
    const decoder = this.#decoder;
    if (!decoder || decoder.state !== "configured") return false;
    if (decoder.decodeQueueSize < MOST_WAITING) this.#allowed = Math.max(MOST_WAITING, this.#allowed - 1);
    if (decoder.decodeQueueSize > this.#allowed) this.#needsKey = true;
    if (picture.key && decoder.decodeQueueSize >= MOST_WAITING) this.#catchUp(decoder);
    if (this.#needsKey && !picture.key) {
      this.dropped++;
      return false;
    }
    this.#needsKey = false;
    const { key, time, data } = picture;
    this.#owed.set(time, picture);
    if (this.#silent++ > MOST_SILENT + this.#allowed) this.#fail("The browser’s decoder brings no pictures", false);
    else {
      try {
        decoder.decode(new EncodedVideoChunk({ type: key ? "key" : "delta", timestamp: time, data }));
      } catch (error) {
        this.#fail(`The browser’s decoder did not take a picture: ${/** @type {Error} */ (error).message}`, false);
      }
    }
    return decoder === this.#decoder;
  }

  /** What waits is given up for the key picture that has come: a decoder that is just quick enough would be behind for ever.
   * @param {VideoDecoder} decoder
   */
  #catchUp(decoder) {
    this.dropped += decoder.decodeQueueSize;
    this.#allowed = MOST_WAITING;
    this.#owed.clear();
    decoder.reset();
    if (this.#config) decoder.configure(this.#config);
  }

  /** What came of the group before does not count any more: the next is a key picture. */
  skip() {
    this.#needsKey = true;
  }

  close() {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
    this.#owed.clear();
    this.#silent = 0;
    this.#needsKey = true;
  }

  /** @param {VideoFrame} frame */
  #decoded(frame) {
    this.#silent = 0;
    for (const oldest of this.#owed.keys()) {
      if (this.#owed.size <= MOST_OWED + this.#allowed) break;
      this.#owed.delete(oldest);
    }
    const picture = this.#owed.get(frame.timestamp);
    if (!picture) return frame.close();
    this.#owed.delete(frame.timestamp);
    this.#onframe(frame, picture);
  }

  /**
   * @param {string} reason
   * @param {boolean} lasting
   */
  #fail(reason, lasting) {
    this.close();
    this.#onfail(reason, lasting);
  }
}
