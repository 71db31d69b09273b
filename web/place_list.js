// @ts-check
// <place-list>: all that is drawn, by name, with what each asks for. Dispatches "removed" with a shape's id.

import { element } from "./details.js";
import { button } from "./form.js";
import { icon } from "./icon.js";
import { amiss, called } from "./places.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./places.js").Shape} Shape */

const ICONS = {
  zone: "M3 5.5 8 3l5 3-1 7H4z",
  line: "M2.5 11 13.5 5M8 8l2 4M10 12l-2.6-.4M10 12l.9-2.4",
  mask: "M3 3h10v10H3zM3 13 13 3",
};

export class PlaceList extends HTMLElement {
  /** @type {Drawing} */
  #drawing;
  #list = element("ul", "");
  #none = element("p", "fine", "Nothing is drawn yet.");

  /** @param {Drawing} drawing */
  constructor(drawing) {
    super();
    this.#drawing = drawing;
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#list.setAttribute("aria-label", "What is drawn");
    this.append(this.#none, this.#list);
  }

  /** @param {boolean} editable */
  show(editable) {
    const shapes = this.#drawing.shapes;
    this.#none.hidden = shapes.length > 0;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.shape : undefined;
    this.#list.replaceChildren(...shapes.map((shape) => this.#row(shape, shapes, editable)));
    if (focused) this.enter(Number(focused));
  }

  /** @param {number} id */
  enter(id) {
    /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-shape="${id}"]`))?.focus({
      preventScroll: true,
    });
  }

  /**
   * @param {Shape} shape
   * @param {Shape[]} shapes
   * @param {boolean} editable
   */
  #row(shape, shapes, editable) {
    const chosen = this.#drawing.chosen === shape;
    const name = element("span", "", shape.name || called(shape));
    const open = button("open", () => this.#drawing.choose(chosen ? 0 : shape.id), icon(ICONS[shape.kind]), name);
    open.dataset.shape = String(shape.id);
    open.setAttribute("aria-pressed", String(chosen));
    open.append(element("small", "", summary(shape)));
    const row = element("li", shape.kind, open);
    row.toggleAttribute("data-amiss", Object.keys(amiss(shape, shapes)).length > 0);
    if (!editable) return row;
    const remove = button("remove", () => this.#remove(shape.id), icon("m4 4 8 8M12 4l-8 8"));
    remove.setAttribute("aria-label", `Delete ${called(shape)}`);
    row.append(remove);
    return row;
  }

  /** @param {number} id */
  #remove(id) {
    this.dispatchEvent(new CustomEvent("removed", { detail: id }));
  }
}

/** @param {Shape} shape */
function summary({ kind, asks }) {
  if (kind === "mask") return "nothing counts";
  return [
    asks.labels.length > 0 ? asks.labels.join(", ") : "all classes",
    asks.min_score > 0 ? `≥ ${Math.round(asks.min_score * 100)} %` : "",
    kind === "zone" && asks.dwell ? `${asks.dwell} s` : "",
    asks.hours.join(", "),
  ]
    .filter(Boolean)
    .join(" · ");
}

customElements.define("place-list", PlaceList);
