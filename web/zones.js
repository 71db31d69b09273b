// @ts-check
// <zones-page>: zones, lines and masks of one stream, drawn over a still of it. The address names the stream. What the
// configuration file has the say about is not saved, but written down to be pasted there.

import { administration } from "./administration.js";
import { element } from "./details.js";
import { Drawing } from "./drawing.js";
import { DrawingBoard } from "./drawing_board.js";
import { button, problem } from "./form.js";
import { KeptPlaces } from "./kept_places.js";
import { mayBeLost } from "./leaving.js";
import { PlaceForm } from "./place_form.js";
import { PlaceList } from "./place_list.js";
import { PlaceTools } from "./place_tools.js";
import { amiss, called, culprit } from "./places.js";
import { Refusal } from "./request.js";
import { visitor } from "./visitor.js";
import { showYaml } from "./yaml_dialog.js";
import { standing } from "./zones_standing.js";

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./places.js").Shape} Shape */

/** The place on the page; no stream is called so, for a name does not begin with a plus. */
const PLACE = "+zones";

/** @param {string} place as the address names it */
export function isZones(place) {
  return place.startsWith(`${PLACE}?`);
}

/** @param {string} stream */
export function zonesOf(stream) {
  return `#${PLACE}?${new URLSearchParams({ stream })}`;
}

export class ZonesPage extends HTMLElement {
  #drawing = new Drawing();
  #board = new DrawingBoard(this.#drawing);
  #tools = new PlaceTools(this.#drawing, this.#board);
  #list = new PlaceList(this.#drawing);
  #form = new PlaceForm(this.#drawing);
  #live = /** @type {HTMLAnchorElement} */ (element("a", "live", "Watch it live"));
  #title = element("h2", "");
  #notice = element("p", "standing");
  #problem = problem();
  #done = element("p", "done");
  #state = element("span", "state");
  #save = button("start", () => this.#keep(), "Save");
  #yaml = button("", () => this.#paste(), "YAML");
  #discard = button("", () => this.#load(), "Discard");
  #over = button("", () => this.#keep(true), "Save mine over it");
  #footer = element("footer", "buttons", this.#state, this.#discard, this.#over, this.#yaml, this.#save);
  #heard = element("p", "heard");
  /** Of the stream that is drawn on; of "" while none is. */
  #kept = new KeptPlaces("", this.#drawing);
  /** @type {Stream | null} */
  #stream = null;
  #listed = false;
  #pictured = false;
  #frame = 0;
  #busy = false;
  /** Whether he is asked if it may be lost. */
  #asking = false;

  /** When it is first looked at. */
  #build() {
    this.#heard.setAttribute("aria-live", "assertive");
    this.#done.setAttribute("role", "status");
    this.#over.hidden = true;
    const header = element("header", "", element("div", "", this.#title, this.#live), this.#tools.steps);
    const side = element(
      "div",
      "side",
      header,
      this.#notice,
      this.#tools,
      this.#list,
      this.#form,
      this.#problem,
      this.#done,
    );
    this.append(element("div", "canvas", this.#board), side, this.#footer, this.#heard);
    this.#drawing.addEventListener("change", () => this.#soon());
    this.#board.addEventListener("said", (event) => this.#announce(detail(event)));
    this.#board.addEventListener("left", () => this.#list.querySelector("button")?.focus());
    this.#tools.addEventListener("picture", () => this.#picture());
    this.#list.addEventListener("removed", (event) => this.#remove(detail(event)));
    this.#form.addEventListener("point", (event) => this.#board.point(detail(event)));
    document.addEventListener("keydown", (event) => this.#press(event)); // a button that is off has lost the focus
    administration.addEventListener("change", () => this.#soon());
    window.addEventListener("beforeunload", (event) => this.unsaved && event.preventDefault());
  }

  /** Whether something is drawn that nobody has kept. */
  get unsaved() {
    return this.#editable && this.#drawing.changed;
  }

  /** @param {string | null} hash of the address, without its sign; null while it is not looked at */
  show(hash) {
    this.hidden = hash === null;
    const name = new URLSearchParams(hash?.slice(PLACE.length + 1) ?? "").get("stream") ?? "";
    if (name === this.#name) return;
    this.forget();
    if (name && this.childElementCount === 0) this.#build();
    if (name) this.#open(name);
  }

  get #name() {
    return this.#kept.stream;
  }

  /** What the title of the window says. */
  get heading() {
    return `${this.#name} · Zones and lines`;
  }

  /**
   * Whether the address may lead elsewhere; where something is unsaved, asks first, and leads there after that.
   *
   * @param {string} hash that it leads to, with its sign
   */
  mayLeave(hash) {
    const own = zonesOf(this.#name);
    if (!this.unsaved || hash === own) return true;
    if (location.hash !== own) history.pushState(null, "", own);
    if (this.#asking) return false;
    this.#asking = true;
    mayBeLost(`Zones and lines of ${this.#name} are as they were before.`).then((lost) => {
      this.#asking = false;
      if (!lost) return;
      this.forget();
      location.hash = hash || "#";
    });
    return false;
  }

  /** Nothing of one stream, or one person, stays for the next. */
  forget() {
    this.#kept.open = false;
    this.#kept = new KeptPlaces("", this.#drawing);
    [this.#stream, this.#listed, this.#pictured] = [null, false, false];
    this.#board.cancel();
    this.#board.picture = "";
    this.#drawing.load({ zones: {}, lines: {}, masks: [] });
    this.#say("");
  }

  /** @param {Stream[]} streams */
  update(streams) {
    if (!this.#name) return;
    this.#listed = true;
    this.#stream = streams.find(({ name }) => name === this.#name) ?? null;
    if (this.#stream?.width && this.#stream.height && !this.#pictured) {
      this.#board.aspect = this.#stream.height / this.#stream.width;
      this.#picture();
    }
    this.#look();
    this.#soon();
  }

  /** @param {string} name */
  #open(name) {
    this.#kept = new KeptPlaces(name, this.#drawing);
    this.#title.textContent = name;
    this.#live.href = `#${encodeURIComponent(name)}`;
    this.#board.label = `What is drawn on ${name}`;
    this.#load();
    this.#kept.ask().then(() => this.#soon());
  }

  async #load() {
    const kept = this.#kept;
    this.#say("");
    try {
      await kept.load();
    } catch (error) {
      if (kept === this.#kept) this.#say(/** @type {Error} */ (error).message);
    }
  }

  #picture() {
    if (!this.#stream?.width) return; // what has had none is not asked for one: that would be an error of the page
    this.#pictured = true;
    this.#board.picture = `api/streams/${encodeURIComponent(this.#name)}/frame.jpg?at=${Date.now()}`;
  }

  get #editable() {
    return this.#kept.known && this.#standing.editable;
  }

  get #standing() {
    const may = { change: administration.allowed, operate: visitor.offered("operate") };
    return standing(this.#stream, may, this.#kept.watched);
  }

  // ---- keeping

  /** @param {boolean} over what somebody else has drawn meanwhile */
  async #keep(over = false) {
    if (this.#busy || !this.#sound()) return;
    if (this.#standing.kept === "file") return this.#paste();
    const kept = this.#kept;
    this.#busy = true;
    this.#say("");
    try {
      const done = await kept.save(over);
      if (done && kept === this.#kept) this.#done.textContent = "Saved. It counts from the next sample on.";
    } catch (error) {
      if (kept === this.#kept) this.#refused(/** @type {Error} */ (error));
    } finally {
      this.#busy = false;
      this.#soon();
    }
  }

  /** @param {Error} error */
  #refused(error) {
    const shape = culprit(error.message, this.#drawing.shapes);
    if (shape) this.#drawing.choose(shape.id);
    this.#problem.textContent = error.message;
    this.#over.hidden = !(error instanceof Refusal) || error.status !== 412;
  }

  /** Whether nothing is wrong that can be told here; else leads to it. */
  #sound() {
    const shapes = this.#drawing.shapes;
    const wrong = shapes.find((shape) => Object.keys(amiss(shape, shapes)).length > 0);
    if (!wrong) return true;
    this.#drawing.choose(wrong.id);
    this.#draw();
    this.#form.enter();
    this.#problem.textContent = `${called(wrong)} cannot be saved like this.`;
    return false;
  }

  #paste() {
    if (!this.#sound()) return;
    this.#kept.awaited = this.#standing.kept === "file";
    showYaml(this.#name, this.#drawing.places, this.#kept.awaited);
  }

  async #look() {
    const kept = this.#kept;
    if ((await kept.look()) && kept === this.#kept)
      this.#done.textContent = "It stands in the configuration file, and counts.";
  }

  // ---- drawing

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (this.hidden || (event.target instanceof Element && event.target.closest("dialog"))) return;
    const typing = event.target instanceof Element && event.target.closest("input, select, textarea");
    if (this.#board.draft) {
      const act = {
        Enter: () => this.#board.finish(),
        Escape: () => this.#board.cancel(),
        Backspace: () => this.#board.back(),
      }[event.key];
      if (!act || (event.key === "Enter" && event.target instanceof HTMLButtonElement)) return;
      event.preventDefault();
      return act();
    }
    if (!(event.ctrlKey || event.metaKey) || event.altKey || typing || !this.#editable) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) this.#drawing.undo();
    else if (key === "y" || key === "z") this.#drawing.redo();
    else if (key === "s") this.#keep();
    else return;
    event.preventDefault();
  }

  /** @param {number} id */
  #remove(id) {
    const shape = this.#drawing.shape(id);
    this.#drawing.remove(id);
    if (shape) this.#announce(`${called(shape)} is deleted. Undo brings it back.`);
    this.#list.querySelector("button")?.focus();
  }

  /** @param {string} text */
  #say(text) {
    this.#problem.textContent = text;
    this.#done.textContent = "";
    this.#over.hidden = true;
  }

  /** @param {string} text */
  #announce(text) {
    this.#heard.textContent = text;
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const { words, kept } = this.#standing;
    const [editable, changed, chosen] = [this.#editable, this.#drawing.changed, this.#drawing.chosen];
    const gone = this.#listed && !this.#stream;
    this.#notice.textContent = gone ? `There is no stream “${this.#name}”.` : words;
    if (this.#board.editable !== editable) this.#board.editable = editable;
    this.#tools.hidden = this.#tools.steps.hidden = !editable;
    this.#tools.show();
    this.#list.show(editable);
    this.#form.show(chosen, {
      labels: this.#kept.labels,
      editable,
      amiss: chosen ? amiss(chosen, this.#drawing.shapes) : {},
      aspect: this.#board.aspect,
    });
    this.#footer.hidden = !editable;
    this.#state.textContent = changed ? "Not saved" : "";
    this.#discard.hidden = !changed;
    this.#yaml.hidden = kept === "file";
    this.#save.textContent = kept === "file" ? "YAML for the file" : "Save";
    this.#save.disabled = this.#busy || (kept !== "file" && !changed);
    if (changed) this.#done.textContent = "";
  }
}

/** @param {Event} event of a part of this page */
function detail(event) {
  return /** @type {CustomEvent} */ (event).detail;
}

customElements.define("zones-page", ZonesPage);
