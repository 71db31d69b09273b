// @ts-check
// <detect-page>: pictures that somebody gives, and what the model finds in them. Arrow keys: the next picture; b: boxes;
// Delete: without the one that is shown.

import { element } from "./details.js";
import { FoundChoice } from "./found_choice.js";
import { button, problem, select } from "./form.js";
import { icon } from "./icon.js";
import { PictureAnswers } from "./picture_answers.js";
import { PictureDoor } from "./picture_door.js";
import { saveFound, savePicture } from "./picture_files.js";
import { PictureQueue } from "./picture_queue.js";
import { PictureStage } from "./picture_stage.js";
import { PictureStrip } from "./picture_strip.js";
import { PictureStyle } from "./picture_style.js";

/** @typedef {import("./detecting.js").Detection} Detection */
/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./sent_picture.js").SentPicture} SentPicture */

/** Its place on the page; no stream is called so, for a name does not begin with a plus. */
const PLACE = "+detect";

/** @param {string} place */
export function isDetect(place) {
  return place === PLACE;
}

export class DetectPage extends HTMLElement {
  #queue = new PictureQueue();
  #door = new PictureDoor();
  #stage = new PictureStage();
  #strip = new PictureStrip();
  #choice = new FoundChoice();
  #answers = new PictureAnswers();
  #style = new PictureStyle(this);
  #name = element("h2", "");
  #facts = element("p", "fine");
  #model = select([["", "The service’s own"]]);
  #asked = element("label", "asked", "Model ", this.#model);
  #again = button("again", () => this.#current && this.#queue.again(this.#current), "Try again");
  #picture = button("start", () => this.#savePicture(), icon("M8 2v8M5 7l3 3 3-3M3 13h10"), "Save picture");
  #json = button("", () => this.#saveFound([this.#current]), "Save JSON");
  #all = button("", () => this.#saveFound(this.#queue.pictures), "All as JSON");
  #remove = button("remove", () => this.#drop(), "Remove");
  #clear = button("", () => this.#queue.clear(), "Remove all");
  #problem = problem();
  #heard = element("p", "heard");
  #side = element("div", "side");
  /** @type {SentPicture | null} */
  #current = null;
  #shown = false;
  #boxed = true;
  #frame = 0;
  #told = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#build();
    this.#queue.addEventListener("change", () => this.#soon());
    this.#door.addEventListener("pictures", (event) => this.#take(detail(event)));
    this.#door.addEventListener("nothing", (event) => (this.#problem.textContent = detail(event)));
    this.#strip.addEventListener("chosen", (event) => this.#turnTo(detail(event)));
    this.#choice.addEventListener("change", () => this.#draw());
    this.#stage.addEventListener("decoded", () => this.#answers.paint(this.#stage.pixels));
    this.#stage.addEventListener("pointed", (event) => this.#point(detail(event)));
    this.#stage.addEventListener("chosen", (event) => detail(event) && this.#answers.enter(detail(event)));
    this.#answers.addEventListener("pointed", (event) => this.#point(detail(event)));
    this.#model.addEventListener("change", () => (this.#queue.model = this.#model.value));
    document.addEventListener("keydown", (event) => this.#shown && this.#key(event));
  }

  #build() {
    const words = element(
      "div",
      "words",
      element("h2", "", "What is in a picture?"),
      element("p", "dropping", "Drop pictures anywhere here, or paste one."),
      element("p", "", "JPEG, PNG and WebP. They are looked at, and not kept."),
    );
    this.#heard.setAttribute("aria-live", "polite");
    const saving = element("p", "buttons saving", this.#picture, this.#json);
    const removing = element("p", "buttons removing", this.#again, this.#all, this.#remove, this.#clear);
    this.#side.append(this.#name, this.#facts, this.#asked, this.#choice, this.#answers, saving, removing);
    const entrance = element("div", "entrance", words, this.#door, this.#problem);
    this.append(this.#stage, this.#strip, this.#side, entrance, this.#heard);
    this.#draw();
  }

  /** @param {boolean} shown whether it is looked at */
  show(shown) {
    if (shown === this.#shown) return;
    this.#shown = this.#door.open = shown;
    this.hidden = !shown;
    if (shown) window.scrollTo(0, 0);
  }

  /** Nothing of one person stays for the next. */
  forget() {
    this.#queue.clear();
    this.#choice.forget();
    this.#problem.textContent = "";
  }

  /** Models that can be asked: the service's own, and those of streams.
   * @param {Stream[]} streams
   */
  update(streams) {
    const names = [...new Set(streams.map(({ model }) => model ?? ""))].filter(Boolean).sort();
    const known = [...this.#model.options].slice(1).map(({ value }) => value);
    this.#asked.hidden = names.length < 2;
    if (names.join("\n") === known.join("\n")) return;
    const chosen = this.#model.value;
    this.#model.length = 1;
    this.#model.append(...names.map((name) => new Option(name, name)));
    this.#model.value = names.includes(chosen) ? chosen : "";
    this.#queue.model = this.#model.value;
  }

  /** @param {SentPicture[]} pictures */
  #take(pictures) {
    this.#problem.textContent = "";
    const before = this.#queue.pictures.length;
    this.#queue.add(pictures);
    this.#turnTo(this.#queue.pictures[before] ?? this.#current);
  }

  /** @param {SentPicture | null} picture */
  #turnTo(picture) {
    this.#current = picture;
    this.#draw();
  }

  /** @param {number} by */
  #step(by) {
    const { pictures } = this.#queue;
    const at = this.#current ? pictures.indexOf(this.#current) : -1;
    const next = pictures[at + by];
    if (!next) return;
    const inStrip = this.#strip.contains(document.activeElement);
    this.#turnTo(next);
    if (inStrip) this.#strip.enter();
  }

  #drop() {
    const { pictures } = this.#queue;
    if (!this.#current) return;
    const at = pictures.indexOf(this.#current);
    const next = pictures[at + 1] ?? pictures[at - 1] ?? null;
    this.#queue.remove(this.#current);
    this.#turnTo(next);
  }

  /** @param {Detection | null} detection */
  #point(detection) {
    this.#stage.pointed = this.#answers.pointed = detection;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("dialog, input, select, textarea")) return;
    const act = {
      ArrowLeft: () => this.#step(-1),
      ArrowRight: () => this.#step(1),
      Delete: () => this.#drop(),
      b: () => this.#toggleBoxes(),
    }[event.key];
    if (!act || this.#queue.pictures.length === 0) return;
    event.preventDefault();
    act();
  }

  #toggleBoxes() {
    this.#boxed = !this.#boxed;
    this.#draw();
  }

  async #savePicture() {
    const picture = this.#current;
    if (!picture) return;
    this.#problem.textContent = "";
    await savePicture(picture, this.#foundIn(picture), this.#style).catch((error) => {
      this.#problem.textContent = /** @type {Error} */ (error).message;
    });
  }

  /** @param {(SentPicture | null)[]} pictures */
  #saveFound(pictures) {
    saveFound(
      pictures.filter((each) => each !== null).filter(({ looked }) => looked !== null),
      (each) => this.#foundIn(each),
    );
  }

  /** @param {SentPicture} picture */
  #foundIn({ looked }) {
    return this.#choice.of(looked?.detections ?? []);
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const { pictures, missed } = this.#queue;
    if (this.#current && !pictures.includes(this.#current)) this.#current = null;
    this.#current ??= pictures[0] ?? null;
    const current = this.#current;
    const looked = pictures.flatMap((each) => each.looked ?? []);
    if (current?.answer) this.#choice.own = current.answer.min_score;
    this.#choice.offer(looked.flatMap(({ detections }) => detections));
    const found = current ? this.#foundIn(current) : [];
    this.toggleAttribute("data-empty", pictures.length === 0);
    this.#stage.show(current, this.#boxed ? found : []);
    this.#strip.show(pictures, current, (each) => this.#foundIn(each).length);
    this.#answers.show(found, current?.looked ? nothing(current.looked.detections.length) : "");
    this.#answers.paint(this.#stage.pixels);
    if (missed) this.#problem.textContent = missed;
    this.#drawSide(current, looked.length);
    this.#tell(current, found.length);
  }

  /**
   * @param {SentPicture | null} current
   * @param {number} looked how many were looked at
   */
  #drawSide(current, looked) {
    this.#name.textContent = current?.name ?? "";
    const { answer } = current ?? {};
    const size = current?.looked ? `${current.looked.width} × ${current.looked.height}` : "";
    this.#facts.textContent = answer ? `${size} · ${answer.model} v${answer.version}` : "";
    for (const part of [this.#choice, this.#picture, this.#json]) part.hidden = !answer;
    this.#all.hidden = looked < 2;
    this.#again.hidden = current?.state !== "failed";
    this.#clear.hidden = this.#queue.pictures.length < 2;
  }

  /**
   * Reads out what came of the one that is shown, once.
   *
   * @param {SentPicture | null} current
   * @param {number} count
   */
  #tell(current, count) {
    const settled = current?.state === "done" || current?.state === "failed";
    const told = settled ? `${current.name}: ${current.problem || `${count} found`}` : "";
    if (told === this.#told || !current) return;
    this.#told = told;
    if (told) this.#heard.textContent = told;
  }
}

/** @param {number} more how many score less, or are of other classes */
function nothing(more) {
  if (more === 0) return "Nothing was found in it.";
  return more === 1 ? "Nothing of this; 1 thing is not shown." : `Nothing of this; ${more} things are not shown.`;
}

/** @param {Event} event of a part of this page */
function detail(event) {
  return /** @type {CustomEvent} */ (event).detail;
}

customElements.define("detect-page", DetectPage);
