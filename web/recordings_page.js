// @ts-check
// <recordings-page>: what cameras recorded, played: one stream or two in step, a day's line under them. The address says
// of which stream and moment, so that it can be sent to somebody.

import { BoxChoice } from "./box_choice.js";
import { ClipMaker } from "./clip_maker.js";
import { bounds, dayOf, daysLater } from "./clock.js";
import { Deck } from "./deck.js";
import { element } from "./details.js";
import { button } from "./form.js";
import { icon } from "./icon.js";
import { PlayBar } from "./play_bar.js";
import { NothingRecorded } from "./nothing_recorded.js";
import { RecordedDay } from "./recorded_day.js";
import { RecordedLine } from "./recorded_line.js";
import { readRecorded, recordedAddress } from "./recorded_place.js";
import { RecordedStage } from "./recorded_stage.js";
import { WhichRecording } from "./which_recording.js";

/** @typedef {import("./feed.js").Stream} Stream */
/** @typedef {import("./recorded_video.js").RecordedVideo} RecordedVideo */

/** The address follows once one stays: browsers refuse to have it changed at every picture. */
const REST_MS = 700;
/** Before an event's beginning, so that one sees it come, seconds. */
const BEFORE_EVENT_S = 2;
/** The newest that is recorded is being written still. */
const BEFORE_END_S = 4;
const CLIP_S = 30;

export class RecordingsPage extends HTMLElement {
  #deck = new Deck();
  #which = new WhichRecording();
  #stages = element("div", "stages");
  #bar = new PlayBar();
  #boxes = new BoxChoice();
  #cut = button("cut", () => this.#toggleClip(), icon("M8 2v8M5 7l3 3 3-3M3 13h10"), element("span", "", "Save"));
  #live = /** @type {HTMLAnchorElement} */ (element("a", "live", element("i", ""), element("span", "", "Live")));
  #line = new RecordedLine();
  #clip = new ClipMaker();
  #nothing = new NothingRecorded();
  /** @type {RecordedDay[]} one a stream that is shown */
  #days = [];
  /** @type {RecordedVideo[]} the same */
  #videos = [];
  /** @type {string[]} */
  #names = [];
  #day = "";
  #shown = false;
  /** The address that is shown; null for none.
   * @type {string | null}
   */
  #hash = null;
  /** @type {[number, number] | null} */
  #marked = null;
  #settling = 0;
  #resume = false;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#build();
    this.#bar.deck = this.#deck;
    this.#deck.addEventListener("time", () => this.#moved());
    this.#deck.addEventListener("change", () => this.#rest());
    this.#which.addEventListener("streams", () => this.#choose());
    this.#which.addEventListener("day", (event) => this.#turnTo(detail(event)));
    this.#which.addEventListener("turn", (event) => this.#turn(detail(event)));
    this.#line.addEventListener("seek", (event) => this.#seek(detail(event)));
    this.#line.addEventListener("marked", (event) => this.#mark(detail(event)));
    this.#clip.addEventListener("marked", (event) => this.#mark(detail(event)));
    this.#clip.addEventListener("closed", () => this.#mark(null));
    this.#boxes.addEventListener("change", () => this.#drawBoxes());
    this.#bar.addEventListener("event", (event) => this.#toEvent(detail(event)));
    this.#nothing.addEventListener("newest", () => this.#goToNewest());
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("visibilitychange", () => document.hidden && this.#shown && this.#deck.pause());
  }

  #build() {
    this.#cut.title = "Save a clip: i marks its beginning, o its end";
    this.#live.title = "As it is now: l";
    this.#boxes.title = "Boxes: b";
    const closer = button("closer", () => this.#line.zoom(2), icon("M8 3v10M3 8h10"));
    const wider = button("wider", () => this.#line.zoom(0.5), icon("M3 8h10"));
    closer.setAttribute("aria-label", "Closer");
    wider.setAttribute("aria-label", "Wider");
    const tools = element("p", "tools", this.#boxes, this.#cut, this.#live);
    const line = element("div", "line", this.#line, element("p", "zoom", wider, closer));
    const under = element("div", "under", this.#bar, tools);
    this.append(this.#which, this.#stages, under, this.#clip, line, this.#nothing);
    this.#clip.hidden = true;
  }

  /** @param {string | null} hash of the address, without its sign; null while it is not looked at */
  show(hash) {
    const before = this.#shown;
    this.#shown = hash !== null;
    this.hidden = !this.#shown;
    if (hash === null) return before && this.forget();
    if (hash === this.#hash) return; // the page is laid out with every word of the server
    this.#hash = hash;
    this.#open(readRecorded(hash));
  }

  /** Nothing of one person stays for the next. */
  forget() {
    window.clearTimeout(this.#settling);
    this.#settling = 0;
    this.#deck.close();
    this.#days.forEach((day) => day.forget());
    this.#days = [];
    this.#stages.replaceChildren();
    this.#mark(null);
    [this.#day, this.#hash] = ["", null];
  }

  /** @param {Stream[]} streams */
  update(streams) {
    const names = streams.map(({ name }) => name);
    this.#nothing.streams = streams;
    if (names.join("\n") === this.#names.join("\n")) return;
    this.#names = names;
    this.#which.offer(names, this.#which.stream, this.#which.beside);
    if (this.#shown && this.#days.length === 0 && this.#hash !== null) this.#open(readRecorded(this.#hash));
  }

  // ---- where one is

  /** @param {import("./recorded_place.js").RecordedPlace} place */
  async #open({ stream, beside, at, playing }) {
    const name = stream || this.#names[0] || "";
    if (!name) return;
    this.#which.offer(this.#names, name, beside);
    const streams = beside ? [name, beside] : [name];
    const same = streams.join("\n") === this.#days.map((day) => day.stream).join("\n");
    if (!same) this.#seat(streams);
    if (same && at !== null && Math.abs(at - this.#deck.at) < 0.002) return;
    const day = at !== null ? dayOf(at) : this.#day || dayOf();
    await this.#see(day);
    const then = at ?? (same ? null : await this.#newest());
    if (then === null || !this.#shown) return;
    if (dayOf(then) !== this.#day) await this.#see(dayOf(then));
    this.#go(then);
    if (playing) this.#deck.play();
  }

  /** Puts a stage for each of these streams in its place.
   * @param {string[]} streams
   */
  #seat(streams) {
    const { at, isPlaying } = this.#deck;
    this.#deck.close();
    this.#days.forEach((day) => day.forget());
    this.#days = streams.map((stream) => {
      const day = new RecordedDay(stream);
      day.addEventListener("change", () => this.#draw());
      return day;
    });
    const stages = streams.map(() => new RecordedStage());
    this.#stages.replaceChildren(...stages);
    this.#stages.dataset["count"] = String(stages.length);
    const videos = stages.map((stage, place) => {
      const recorded = stage.open(streams[place] ?? "");
      recorded.addEventListener("change", () => this.#say());
      recorded.addEventListener("picture", () => this.#pictured());
      stage.choice = this.#boxes.value;
      stage.addEventListener("click", () => this.#bar.toggle());
      return recorded;
    });
    this.#live.href = `#${encodeURIComponent(streams[0] ?? "")}`;
    if (at > 0) this.#deck.seek(at);
    this.#deck.videos = at > 0 ? videos : [];
    this.#videos = videos;
    if (isPlaying && at > 0) this.#deck.play();
    this.#mark(this.#marked);
  }

  /** Shows a day, wherever in it one is.
   * @param {string} day
   */
  async #see(day) {
    this.#day = day;
    this.#which.day = day;
    this.#draw();
    await Promise.all(this.#days.map((each) => each.show(day)));
  }

  /** The newest that is recorded of the first stream; null where nothing is. */
  async #newest() {
    const [first] = this.#days;
    const newest = await first?.newest();
    return newest ? Math.max(newest.from, newest.to - BEFORE_END_S) : null;
  }

  async #goToNewest() {
    const at = await this.#newest();
    if (at !== null && this.#shown) this.#go(at);
  }

  /** @param {number} at */
  async #go(at) {
    if (dayOf(at) !== this.#day) await this.#see(dayOf(at));
    this.#deck.seek(at);
    if (this.#deck.videos.length === 0) this.#deck.videos = this.#videos;
    this.#line.at = at;
    this.#line.reveal(at);
    this.#rest();
  }

  /** @param {{ at: number, done: boolean }} where */
  #seek({ at, done }) {
    if (!done && this.#deck.isPlaying) {
      this.#resume = true;
      this.#deck.pause();
    }
    const [first] = this.#days;
    const next = done && this.#days.every((day) => !day.has(at)) ? first?.next(at) : null;
    this.#deck.seek(next ?? at); // into nothing: to what comes next
    if (this.#deck.videos.length === 0) this.#deck.videos = this.#videos;
    if (!done) return;
    if (this.#resume) this.#deck.play();
    this.#resume = false;
    this.#rest();
  }

  /** @param {number} by */
  async #turn(by) {
    const [first] = this.#days;
    this.#turnTo((await first?.neighbour(this.#day, by)) ?? daysLater(this.#day, by));
  }

  /** The same time of another day, or where that begins.
   * @param {string} day
   */
  async #turnTo(day) {
    const [from] = bounds(day);
    const of = this.#deck.at > 0 ? this.#deck.at - bounds(dayOf(this.#deck.at))[0] : 0;
    await this.#see(day);
    const [first] = this.#days;
    const at = from + of;
    this.#go(first?.has(at) ? at : (first?.next(at) ?? first?.next(from) ?? at));
  }

  /** Other streams, at the same moment. */
  #choose() {
    const { stream, beside } = this.#which;
    const at = this.#deck.at > 0 ? this.#deck.at : null;
    location.hash = recordedAddress({ stream, beside, at, playing: this.#deck.isPlaying });
  }

  /** @param {1 | -1} by */
  #toEvent(by) {
    const next = this.#beyond(by);
    if (next !== undefined) this.#go(next);
  }

  /** Where the next event, or the one before, is looked at from.
   * @param {1 | -1} by
   */
  #beyond(by) {
    const begins = this.#days.flatMap(({ events }) => events.map(({ began_at }) => began_at - BEFORE_EVENT_S));
    const sorted = begins.sort((a, b) => a - b);
    const at = this.#deck.at;
    return by > 0 ? sorted.find((each) => each > at + 0.5) : sorted.findLast((each) => each < at - 1.5);
  }

  #moved() {
    this.#line.at = this.#deck.at;
    if (this.#day && this.#deck.isPlaying && dayOf(this.#deck.at) !== this.#day) this.#see(dayOf(this.#deck.at));
    this.#bar.offer(this.#beyond(-1) !== undefined, this.#beyond(1) !== undefined);
    this.#say();
    if (!this.#deck.isPlaying) this.#rest();
  }

  /** Has the address name the moment, once one stays at it. */
  #rest() {
    window.clearTimeout(this.#settling);
    this.#settling = window.setTimeout(() => {
      this.#settling = 0;
      if (!this.#shown || this.#deck.isPlaying || this.#deck.at === 0) return;
      const [stream = "", beside = ""] = this.#days.map((day) => day.stream);
      const address = recordedAddress({ stream, beside, at: this.#deck.at });
      this.#hash = address.slice(1);
      history.replaceState(history.state, "", address);
    }, REST_MS);
  }

  // ---- clips

  #toggleClip() {
    if (this.#marked) return this.#mark(null);
    const at = this.#deck.at;
    const [, last] = bounds(this.#day);
    this.#mark([at, Math.min(at + CLIP_S, last, Math.max(Date.now() / 1000, at + 1))]);
  }

  /** @param {[number, number] | null} span */
  #mark(span) {
    this.#marked = span;
    this.#line.marked = span;
    this.#clip.hidden = span === null;
    this.#cut.setAttribute("aria-pressed", String(span !== null));
    const [first] = this.#days;
    if (!span || !first) return;
    const { hidden, least } = this.#boxes.value;
    const labels = this.#classes.map(({ label }) => label).filter((label) => !hidden.has(label));
    const chosen = { ...(hidden.size > 0 ? { labels } : {}), ...(least > 0 ? { min_score: least } : {}) };
    this.#clip.show(first.stream, this.#day, span, chosen);
  }

  // ---- what is seen

  get #classes() {
    const all = this.#deck.videos.flatMap(({ boxes }) => boxes.classes);
    return [...new Map(all.map((each) => [each.label, each])).values()];
  }

  #drawBoxes() {
    for (const stage of this.#stages.children) if (stage instanceof RecordedStage) stage.choice = this.#boxes.value;
    this.#mark(this.#marked);
  }

  #pictured() {
    this.#boxes.offer(this.#classes);
    this.#say();
  }

  #draw() {
    const rows = this.#days.map(({ stream, spans, events }) => ({ stream, spans, events }));
    if (this.#day) this.#line.show(rows, bounds(this.#day));
    this.#days.forEach((day, place) => {
      const video = this.#videos[place];
      if (video) video.spans = day.spans;
    });
    const failure = this.#days.map(({ failure }) => failure).find((each) => each !== null) ?? null;
    const isEmpty = this.#days.length > 0 && this.#days.every((day) => day.isKnown && day.spans.length === 0);
    this.#nothing.show(failure, isEmpty ? this.#days.map(({ stream }) => stream) : [], this.#day);
    this.toggleAttribute("data-failing", failure !== null);
    this.toggleAttribute("data-empty", isEmpty);
    this.#bar.offer(this.#beyond(-1) !== undefined, this.#beyond(1) !== undefined);
    this.#say();
  }

  /** What stands in the place of pictures that are not there. */
  #say() {
    this.#bar.hear();
    [...this.#stages.children].forEach((stage, place) => {
      const [video, day] = [this.#videos[place], this.#days[place]];
      if (!(stage instanceof RecordedStage) || !video || !day || this.#deck.at === 0) return;
      const gap = day.isKnown && !video.has(this.#deck.at) && !day.isGrowing(this.#deck.at);
      stage.say(video.problem || (gap ? "Nothing was recorded at this time." : ""));
      stage.ariaBusy = String(!gap && this.#deck.isWaiting);
    });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#shown || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("dialog, input, select, textarea")) return;
    const onButton = event.target instanceof Element && event.target.closest("button, a, summary");
    if (event.key === " " && onButton) return;
    const act = {
      " ": () => this.#bar.toggle(),
      k: () => this.#bar.toggle(),
      ",": () => this.#deck.step(-1),
      ".": () => this.#deck.step(1),
      ArrowLeft: () => this.#go(this.#deck.at - 5),
      ArrowRight: () => this.#go(this.#deck.at + 5),
      "[": () => this.#bar.speed(-1),
      "]": () => this.#bar.speed(1),
      n: () => this.#toEvent(1),
      p: () => this.#toEvent(-1),
      b: () => this.#boxes.toggle(),
      i: () => this.#mark([this.#deck.at, Math.max(this.#marked?.[1] ?? 0, this.#deck.at + 1)]),
      o: () => this.#mark([Math.min(this.#marked?.[0] ?? Infinity, this.#deck.at - 1), this.#deck.at]),
      l: () => this.#live.click(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

/** @param {Event} event of a part of this page */
function detail(event) {
  return /** @type {CustomEvent} */ (event).detail;
}

customElements.define("recordings-page", RecordingsPage);
