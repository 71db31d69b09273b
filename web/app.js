// @ts-check
// The page: every stream of the server as a tile, one of them large when the address names it; and who may see it.

import "./account.js";
import { AddStream } from "./adding.js";
import { administration } from "./administration.js";
import { AlertsPage } from "./alerts_page.js";
import { isAlerts } from "./alerts_place.js";
import { DetectPage, isDetect } from "./detect_page.js";
import { element } from "./details.js";
import { EventsPage } from "./events.js";
import { Feed } from "./feed.js";
import { fitGrid } from "./grid.js";
import { CameraPanel } from "./camera.js";
import { News, countStates } from "./news.js";
import { PeoplePage, isPeople } from "./people.js";
import { isEvents } from "./search.js";
import { RecordingsPage } from "./recordings_page.js";
import { isRecordings } from "./recorded_place.js";
import { SignIn } from "./signin.js";
import "./silence_sign.js";
import { silencesNow } from "./silences.js";
import { StreamViewer } from "./viewer.js";
import { visitor } from "./visitor.js";
import { ZonesPage, isZones } from "./zones.js";

/** @typedef {import("./feed.js").Stream} Stream */

const HIDDEN_GRACE_MS = 5000;

const main = find("main");
const banner = find(".banner");
const empty = find(".empty");
const back = find(".back");
const camera = /** @type {CameraPanel} */ (find("camera-panel"));
const adding = /** @type {AddStream} */ (find("add-stream"));
const useCamera = find(".use-camera");
const events = /** @type {EventsPage} */ (find("events-page"));
const toEvents = find(".to-events");
const zones = /** @type {ZonesPage} */ (find("zones-page"));
const recordings = /** @type {RecordingsPage} */ (find("recordings-page"));
const toRecordings = find(".to-recordings");
const alerts = /** @type {AlertsPage} */ (find("alerts-page"));
const toAlerts = find(".to-alerts");
const pictures = /** @type {DetectPage} */ (find("detect-page"));
const toPictures = find(".to-pictures");
const people = /** @type {PeoplePage} */ (find("people-page"));
const door = /** @type {SignIn} */ (find("sign-in"));
/** The camera's own place; no stream is called so, for a name does not begin with a plus. */
const CAMERA = "+camera";
/** @type {Map<string, StreamViewer>} */
const viewers = new Map();
const news = new News();
/** Whether the list has been seen; before that nothing can be said to be missing. */
let listed = false;
/** Whether the server was away: it may be another one, or another configuration, when it is back. */
let lost = false;
/** Who signed in last: what he left on the page is not the next one's. */
let owner = "";

const feed = new Feed({
  onstreams(streams) {
    banner.hidden = true;
    listed = true;
    if (lost) visitor.ask().then(askWhatMayBeDone);
    lost = false;
    reconcile(streams);
    const spoken = news.of(streams);
    if (spoken) find(".announcer").textContent = spoken;
    summarise(streams);
    camera.update(streams);
    people.update(streams);
    events.update(streams);
    zones.update(streams);
    recordings.update(streams);
    alerts.update(streams);
    pictures.update(streams);
    layOut();
  },
  ondetections(event) {
    viewers.get(event.stream)?.detect(event);
    camera.detect(event);
  },
  onlost(retryMs) {
    lost = true;
    const again = `Trying again every ${retryMs === 1000 ? "second" : `${retryMs / 1000} seconds`}.`;
    const text = `No connection to the server. ${again}`;
    if (banner.textContent !== text) banner.textContent = text;
    banner.hidden = false;
    viewers.forEach((viewer) => viewer.lose());
    camera.lose();
  },
});

/**
 * @param {string} selector
 * @returns {HTMLElement}
 */
function find(selector) {
  return /** @type {HTMLElement} */ (document.querySelector(selector));
}

/** One viewer a stream, in the server's order. Present viewers are not moved: moving one restarts its video.
 * @param {Stream[]} streams
 */
function reconcile(streams) {
  const names = new Set(streams.map(({ name }) => name));
  for (const [name, viewer] of viewers) {
    if (names.has(name)) continue;
    viewer.remove();
    viewers.delete(name);
  }
  streams.forEach((stream, index) => {
    let viewer = viewers.get(stream.name);
    if (!viewer) {
      viewer = /** @type {StreamViewer} */ (document.createElement("stream-viewer"));
      viewer.setAttribute("name", stream.name);
      viewers.set(stream.name, viewer);
      main.insertBefore(viewer, main.children[index] ?? null);
    }
    viewer.update(stream);
  });
}

/** @param {Stream[]} streams */
function summarise(streams) {
  const items = countStates(streams).map(([state, count]) => {
    const item = element("li", "", element("i", ""), element("b", "", String(count)), element("span", "", ` ${state}`));
    item.dataset.state = state;
    return item;
  });
  find(".summary").replaceChildren(...items);
}

/** @returns {string} the stream named in the address, or "" */
function named() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function layOut() {
  const [first = ""] = viewers.keys();
  const only = viewers.size === 1 ? first : "";
  const wanted = named();
  const focus = viewers.has(wanted) ? wanted : only;
  const barred = visitor.known && !visitor.may("view");
  const atCamera = wanted === CAMERA && !useCamera.hidden;
  const atPeople = isPeople(wanted) && visitor.may("administer");
  const atEvents = isEvents(wanted) && visitor.may("view");
  const atZones = isZones(wanted) && visitor.may("view");
  const atRecordings = isRecordings(wanted) && visitor.may("view");
  const atAlerts = isAlerts(wanted) && visitor.may("view");
  const atPictures = isDetect(wanted) && visitor.may("view");
  const away = atCamera || atPeople || atEvents || atZones || atRecordings || atAlerts || atPictures;
  const elsewhere = away || barred;
  camera.hidden = !atCamera;
  people.show(atPeople ? wanted : "");
  events.show(atEvents ? location.hash.slice(1) : null);
  if (barred)
    zones.hidden = true; // what he has drawn is there when he has signed in again
  else zones.show(atZones ? location.hash.slice(1) : null);
  recordings.show(atRecordings ? location.hash.slice(1) : null);
  alerts.show(atAlerts ? location.hash.slice(1) : null);
  pictures.show(atPictures);
  main.hidden = elsewhere;
  main.dataset.view = focus ? "focus" : "grid";
  back.hidden = !away && (!focus || focus === only);
  useCamera.toggleAttribute("aria-current", atCamera);
  for (const [link, isHere] of /** @type {[HTMLElement, boolean][]} */ ([
    [toEvents, atEvents],
    [toRecordings, atRecordings],
    [toAlerts, atAlerts],
    [toPictures, atPictures],
  ])) {
    link.hidden = !visitor.may("view");
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  viewers.forEach((viewer, name) => {
    viewer.classList.toggle("focused", name === focus);
    viewer.hidden = focus !== "" && name !== focus;
  });
  empty.hidden = elsewhere || (viewers.size > 0 && (wanted === "" || viewers.has(wanted)));
  if (!empty.hidden) drawEmpty(wanted);
  let place = atCamera ? "Camera" : atPeople ? PeoplePage.title(wanted) : focus;
  if (atEvents) place = "Events";
  if (atZones) place = zones.heading;
  if (atRecordings) place = "Recordings";
  if (atAlerts) place = "Alerts";
  if (atPictures) place = "Pictures";
  if (barred) place = "Sign in";
  document.title = place ? `${place} · Sightline` : "Sightline";
  fit();
}

/** @param {string} wanted the stream that the address names */
function drawEmpty(wanted) {
  const none = listed && viewers.size === 0;
  let text = "Connecting to the server…";
  if (isPeople(wanted) && visitor.known) text = "Users, tokens and the audit are shown to administrators alone.";
  else if (none) text = "No streams yet";
  else if (listed) text = `There is no stream “${wanted}”.`;
  find(".empty-text").textContent = text;
  empty.toggleAttribute("data-none", none);
  find(".empty-file").hidden = !none;
  find(".empty-add").hidden = adding.hidden;
  find(".empty-camera").hidden = useCamera.hidden;
  find(".empty-actions").hidden = !none || (adding.hidden && useCamera.hidden);
}

function fit() {
  if (main.hidden || main.dataset.view !== "grid" || viewers.size === 0) return;
  const style = getComputedStyle(main);
  const padding = parseFloat(style.paddingLeft) * 2;
  const { columns, tileWidth } = fitGrid({
    count: viewers.size,
    width: main.clientWidth - padding,
    height: window.innerHeight - main.offsetTop - padding,
    gap: parseFloat(style.columnGap) || 0,
    extra: find(".strip").offsetHeight,
  });
  main.style.setProperty("--columns", String(columns));
  main.style.setProperty("--tile-width", `${tileWidth}px`);
}

/** @param {string} name of a stream, or "" for all */
function replaceFocus(name) {
  history.replaceState(history.state, "", name ? `#${encodeURIComponent(name)}` : location.pathname + location.search);
  layOut();
}

/** Back to all streams; through the history when we came from there, so that the back button agrees. */
function leaveFocus() {
  const name = named();
  if (!zones.mayLeave("") || !alerts.mayLeave("")) return;
  if (history.state?.fromGrid) history.back();
  else replaceFocus("");
  viewers.get(name)?.querySelector("a")?.focus({ preventScroll: true });
}

/** @param {number} step */
function focusNeighbour(step) {
  const names = [...viewers.keys()];
  const at = names.indexOf(named());
  if (at >= 0) replaceFocus(names[(at + step + names.length) % names.length] ?? "");
}

window.addEventListener("hashchange", (event) => {
  if (!zones.mayLeave(location.hash) || !alerts.mayLeave(location.hash)) return;
  const fromGrid = !new URL(event.oldURL).hash.slice(1);
  if (fromGrid && named() && !history.state) history.replaceState({ fromGrid: true }, "");
  layOut();
});
back.addEventListener("click", (event) => {
  event.preventDefault();
  leaveFocus();
});
document.addEventListener("keydown", (event) => {
  // What is typed into a form, or into a dialog over the page, is not meant for the page.
  if (event.target instanceof Element && event.target.closest("dialog, input, select, textarea")) return;
  if (event.ctrlKey || event.metaKey || event.altKey || main.hidden) return;
  const large = [...viewers.values()].find((viewer) => viewer.isLarge);
  const isFocus = main.dataset.view === "focus";
  if (isFocus && event.key === "Escape" && !back.hidden) leaveFocus();
  else if (large?.press(event.key)) event.preventDefault();
  else if (event.key === "f") large?.toggleFullscreen();
  else if (isFocus && event.key === "ArrowRight") focusNeighbour(1);
  else if (isFocus && event.key === "ArrowLeft") focusNeighbour(-1);
});
new ResizeObserver(fit).observe(document.documentElement);

function askWhatMayBeDone() {
  if (visitor.offered("operate", true)) administration.ask();
  if (visitor.offered("publish", true)) camera.ask();
}

/** Shows what who looks may see; where that is nothing, <sign-in> stands before it. */
function admit() {
  if (visitor.named && owner !== "" && visitor.name !== owner) forget();
  if (visitor.named) owner = visitor.name;
  if (visitor.may("view")) {
    feed.start();
    silencesNow.start();
    askWhatMayBeDone();
  } else {
    feed.stop();
    silencesNow.stop();
    viewers.forEach((viewer) => viewer.lose());
  }
  offerCamera();
}

/** Nothing of one person stays on the page for the next. */
function forget() {
  owner = "";
  events.forget();
  zones.forget();
  recordings.forget();
  alerts.forget();
  silencesNow.forget();
  pictures.forget();
  for (const dialog of document.querySelectorAll("dialog.sheet")) /** @type {HTMLDialogElement} */ (dialog).close();
  if (camera.publishing) camera.stop();
  viewers.forEach((viewer) => viewer.remove());
  viewers.clear();
}

function offerCamera() {
  useCamera.hidden = !camera.offered && !camera.publishing;
  layOut();
}

function watch() {
  if (!visitor.known || visitor.may("view")) feed.start();
  if (visitor.may("view")) silencesNow.start();
  if (door.open) visitor.ask(); // he may have signed in on another page
}

administration.addEventListener("change", layOut);
find(".empty-add").addEventListener("click", () => adding.open());
document.addEventListener("changed", () => feed.refresh());
document.addEventListener("removed", (event) => {
  const { detail: name } = /** @type {CustomEvent<string>} */ (event);
  if (named() === name) replaceFocus("");
  const next = [...viewers.keys()].find((other) => other !== name);
  if (next) viewers.get(next)?.querySelector("a")?.focus({ preventScroll: true });
  feed.refresh();
});

camera.addEventListener("ready", offerCamera);
camera.addEventListener("change", () => {
  useCamera.toggleAttribute("data-on", camera.publishing);
  find(".use-camera-text").textContent = camera.publishing ? "Your camera is on" : "Use this device’s camera";
});
visitor.addEventListener("change", admit);
visitor.addEventListener("out", forget);

function rest() {
  silencesNow.stop();
  if (!camera.publishing) feed.stop();
}

let hiddenTimer = 0;
document.addEventListener("visibilitychange", () => {
  window.clearTimeout(hiddenTimer);
  // While its camera is on, the page watches on: a phone that is locked for a moment must find its place again.
  if (document.hidden) hiddenTimer = window.setTimeout(rest, HIDDEN_GRACE_MS);
  else watch();
});
window.addEventListener("pagehide", () => feed.stop());
window.addEventListener("pageshow", (event) => event.persisted && watch());
window.addEventListener("online", () => feed.refresh());
layOut();
visitor.ask().then(() => visitor.known || feed.start()); // the list says that there is no server
