// @ts-check
// What the page's own properties are, for what is painted: asked for once, since that is slow and there are many boxes.

export class PictureStyle {
  #element;
  /** @type {Map<string, string>} */
  #known = new Map();
  font = "system-ui, sans-serif";

  /** @param {Element} element whose properties they are */
  constructor(element) {
    this.#element = element;
  }

  /** @param {string} name of a property */
  of = (name) => {
    const known = this.#known.get(name) ?? getComputedStyle(this.#element).getPropertyValue(name).trim();
    this.#known.set(name, known);
    return known;
  };
}
