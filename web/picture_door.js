// @ts-check
// <picture-door>: how pictures come in: dropped anywhere on the page, pasted, chosen, or taken with the phone's camera.
// Dispatches "pictures" with them, and "nothing" with a sentence where something came that is none.

import { element } from "./details.js";
import { button, field } from "./form.js";
import { icon } from "./icon.js";
import { SentPicture } from "./sent_picture.js";

/** What the server reads: a phone makes these of what it has otherwise. */
const KINDS = "image/jpeg,image/png,image/webp";
/** There is a camera to take one with, as a rule. */
const TOUCHED = window.matchMedia("(pointer: coarse)");

export class PictureDoor extends HTMLElement {
  #choose = chooser({ accept: KINDS, multiple: "" });
  #take = chooser({ accept: "image/*", capture: "environment" });
  #taking = button(
    "taking",
    () => this.#take.click(),
    icon("M1.5 4.5h3l1.5-2h4l1.5 2h3v9h-13zM8 6.2a2.6 2.6 0 1 0 .01 0"),
    "Take one",
  );
  #over = element("p", "drop-here", element("span", "", "Drop to have them looked at"));
  #open = false;
  #pasted = 0;
  #taken = 0;
  /** Of what is dragged, how many elements it is over: it enters one before it leaves the other. */
  #depth = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const choosing = button("start choosing", () => this.#choose.click(), "Choose pictures");
    this.#over.hidden = true;
    this.#over.setAttribute("aria-hidden", "true");
    this.append(choosing, this.#taking, this.#choose, this.#take, this.#over);
    this.#offer();
    TOUCHED.addEventListener("change", () => this.#offer());
    this.#choose.addEventListener("change", () => this.#chosen(this.#choose, ({ name }) => name));
    this.#take.addEventListener("change", () => this.#chosen(this.#take, () => `taken-${++this.#taken}.jpg`));
    document.addEventListener("paste", (event) => this.#open && this.#paste(event));
    document.addEventListener("dragenter", (event) => this.#drag(event, 1));
    document.addEventListener("dragleave", (event) => this.#drag(event, -1));
    document.addEventListener("dragover", (event) => this.#open && carriesFiles(event) && event.preventDefault());
    document.addEventListener("drop", (event) => this.#open && this.#drop(event));
  }

  /** @param {boolean} open whether they come in now */
  set open(open) {
    this.#open = open;
    if (!open) this.#over.hidden = true;
  }

  #offer() {
    this.#taking.hidden = !TOUCHED.matches;
  }

  /**
   * @param {HTMLInputElement} input
   * @param {(file: File) => string} name
   */
  #chosen(input, name) {
    this.#tell([...(input.files ?? [])].map((file) => new SentPicture(file, name(file))));
    input.value = ""; // the same one may be chosen again
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    if (event.target instanceof Element && event.target.closest("input, select, textarea, dialog")) return;
    const files = [...(event.clipboardData?.files ?? [])];
    event.preventDefault();
    if (files.length === 0) return this.#refuse("There is no picture on the clipboard.");
    // A picture that was copied and not a file is called image.png, each of them.
    this.#tell(
      files.map((file) => new SentPicture(file, /^image\.\w+$/.test(file.name) ? this.#pastedName(file) : file.name)),
    );
  }

  /** @param {File} file */
  #pastedName({ name }) {
    return name.replace("image", `pasted-${++this.#pasted}`);
  }

  /**
   * @param {DragEvent} event
   * @param {1 | -1} by
   */
  #drag(event, by) {
    if (!this.#open || !carriesFiles(event)) return;
    this.#depth = Math.max(0, this.#depth + by);
    this.#over.hidden = this.#depth === 0;
  }

  /** @param {DragEvent} event */
  #drop(event) {
    this.#depth = 0;
    this.#over.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return this.#refuse("There is no file in what was dropped.");
    this.#tell(files.map((file) => new SentPicture(file)));
  }

  /** @param {SentPicture[]} pictures */
  #tell(pictures) {
    if (pictures.length > 0) this.dispatchEvent(new CustomEvent("pictures", { detail: pictures }));
  }

  /** @param {string} sentence */
  #refuse(sentence) {
    this.dispatchEvent(new CustomEvent("nothing", { detail: sentence }));
  }
}

/** @param {Record<string, string>} attributes */
function chooser(attributes) {
  const input = field("pictures", { type: "file", "aria-hidden": "true", tabindex: "-1", ...attributes });
  input.hidden = true; // a button stands for it
  return input;
}

/** @param {DragEvent} event */
function carriesFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

customElements.define("picture-door", PictureDoor);
