// @ts-check
// Whether zones of a stream can be drawn by who looks, where they are kept, and what he is told of that. Pure.

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {{ editable: boolean, kept: "api" | "file" | "", words: string }} Standing */

const UNWATCHED = "Nothing is watched here: the configuration has no section archive.";

/**
 * @param {Stream | null} stream null while nothing certain is known of it
 * @param {{ change: boolean, operate: boolean }} may change: streams can be changed from here
 * @param {boolean} watched whether events are made, which is what zones and lines are for
 * @returns {Standing}
 */
export function standing(stream, may, watched) {
  const notice = watched ? "" : UNWATCHED;
  if (!stream) return { editable: false, kept: "", words: "" };
  if (stream.origin === "publisher")
    return {
      editable: false,
      kept: "",
      words: "It is published to this server: nothing is kept for it to be drawn on.",
    };
  if (!may.operate && !may.change) return { editable: false, kept: "", words: notice };
  if (stream.origin === "file") {
    const words = "It stands in the configuration file. Draw here, and paste there what comes out.";
    return { editable: true, kept: "file", words: [words, notice].filter(Boolean).join(" ") };
  }
  if (may.change) return { editable: true, kept: "api", words: notice };
  return {
    editable: false,
    kept: "",
    words: "Nothing can be changed here: the configuration has api_streams switched off.",
  };
}
