// @ts-check
// <play-bar>: what a deck is played with. Dispatches "event" with -1 or 1, to the one before or after.

import { dayInWords, dayOf } from "./clock.js";
import { RATES, Deck } from "./deck.js";
import { element } from "./details.js";
import { button, select } from "./form.js";
import { icon } from "./icon.js";
import { clockAt } from "./time_axis.js";

const PLAY = "M5 3v10l8-5z";
const PAUSE = "M5.5 3v10M10.5 3v10";

export class PlayBar extends HTMLElement {
  #deck = new Deck();
  #play = button("play", () => this.toggle(), icon(PLAY));
  #back = button("back-one", () => this.#deck.step(-1), icon("M10 4 5 8l5 4zM12.5 4v8"));
  #on = button("on-one", () => this.#deck.step(1), icon("m6 4 5 4-5 4zM3.5 4v8"));
  #before = button("event-before", () => this.#goTo(-1), icon("M8 4 3.5 8 8 12M13 4 8.5 8l4.5 4"));
  #after = button("event-after", () => this.#goTo(1), icon("m8 4 4.5 4L8 12M3 4l4.5 4L3 12"));
  #rate = select(RATES.map((rate) => [String(rate), nameOf(rate)]));
  #sound = button("sound", () => this.#toggleSound(), icon("M2.5 6v4H5l3.5 3V3L5 6zM11 6l3 4M14 6l-3 4"));
  #time = element("b", "time");
  #day = element("span", "of-day");
  #muted = true;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#name(this.#back, "One picture back", ",");
    this.#name(this.#on, "One picture on", ".");
    this.#name(this.#before, "Event before", "p");
    this.#name(this.#after, "Next event", "n");
    this.#name(this.#sound, "Sound", "m");
    this.#rate.setAttribute("aria-label", "Speed");
    this.#rate.title = "Speed: [ and ]";
    this.#rate.value = "1";
    this.#rate.addEventListener("change", () => (this.#deck.rate = Number(this.#rate.value)));
    const ways = element("div", "ways", this.#before, this.#back, this.#play, this.#on, this.#after);
    this.append(element("p", "clock", this.#time, this.#day), ways, this.#rate, this.#sound);
    this.#sound.hidden = true;
  }

  /** @param {Deck} deck */
  set deck(deck) {
    this.#deck = deck;
    deck.addEventListener("change", () => this.#draw());
    deck.addEventListener("time", () => this.#tell());
    this.#draw();
    this.#tell();
  }

  toggle() {
    if (this.#deck.isPlaying) this.#deck.pause();
    else this.#deck.play();
  }

  /** @param {1 | -1} by */
  speed(by) {
    const at = RATES.indexOf(this.#deck.rate) + by;
    this.#deck.rate = RATES[Math.min(Math.max(at, 0), RATES.length - 1)] ?? 1;
  }

  /** Whether there are events to go to.
   * @param {boolean} before
   * @param {boolean} after
   */
  offer(before, after) {
    [this.#before.disabled, this.#after.disabled] = [!before, !after];
  }

  /** What is shown may have sound, or not. */
  hear() {
    this.#sound.hidden = !this.#deck.videos[0]?.hasSound;
    this.#deck.videos.forEach((video, at) => (video.muted = this.#muted || at > 0)); // two at once are noise
  }

  #toggleSound() {
    this.#muted = !this.#muted;
    this.#sound.setAttribute("aria-pressed", String(!this.#muted));
    this.hear();
  }

  /** @param {1 | -1} by */
  #goTo(by) {
    this.dispatchEvent(new CustomEvent("event", { detail: by }));
  }

  #draw() {
    const { isPlaying, rate } = this.#deck;
    this.#play.replaceChildren(icon(isPlaying ? PAUSE : PLAY));
    this.#name(this.#play, isPlaying ? "Pause" : "Play", "Space");
    this.#play.toggleAttribute("data-playing", isPlaying);
    if (this.#rate.value !== String(rate)) this.#rate.value = String(rate);
  }

  #tell() {
    const { at } = this.#deck;
    const parts = Math.floor((at % 1) * 10 + 1e-6) % 10;
    this.#time.textContent = at > 0 ? `${clockAt(Math.floor(at), true)}.${parts}` : "–";
    this.#day.textContent = at > 0 ? dayInWords(dayOf(at)) : "";
  }

  /**
   * @param {HTMLElement} part
   * @param {string} words
   * @param {string} key
   */
  #name(part, words, key) {
    part.setAttribute("aria-label", words);
    part.title = `${words}: ${key}`;
  }
}

/** @param {number} rate */
function nameOf(rate) {
  return { 0.25: "¼×", 0.5: "½×" }[rate] ?? `${rate}×`;
}

customElements.define("play-bar", PlayBar);
