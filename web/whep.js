// @ts-check
// One WHEP viewing session (draft-ietf-wish-whep). No DOM.

import { Session } from "./session.js";

export class WhepSession extends Session {
  /**
   * @returns {Promise<MediaStream>} the remote video, before its first frame
   * @throws {import("./signalling.js").SessionError} as connect() does
   */
  async open() {
    const media = new MediaStream();
    await this.connect((pc) => {
      const { receiver } = pc.addTransceiver("video", { direction: "recvonly" });
      // Zero means "as little as the network allows"; Chromium only, ignored elsewhere.
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
      const lose = () => this.lose("The server ended the WebRTC session");
      receiver.track.addEventListener("ended", lose, { signal: this.closing });
      media.addTrack(receiver.track);
    });
    return media;
  }
}
