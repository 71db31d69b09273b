// @ts-check
// What is seen of a stream as a file: into the clipboard, or saved.

/**
 * @param {Promise<Blob | null>} picture taken at once: clipboards want to be asked while the click is fresh
 * @throws {Error} a sentence
 */
export async function copyPicture(picture) {
  const blob = picture.then((found) => found ?? Promise.reject(new Error("There is no picture to copy.")));
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
  } catch (error) {
    await blob; // why there is none comes first
    throw new Error(`The browser did not take the picture: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * @param {Promise<Blob | null>} picture
 * @param {string} stream
 * @throws {Error} a sentence
 */
export async function savePicture(picture, stream) {
  const blob = await picture;
  if (!blob) throw new Error("There is no picture to save.");
  const link = document.createElement("a");
  const at = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  link.href = URL.createObjectURL(blob);
  link.download = `${stream} ${at}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
