// @ts-check
// Which colour a class is drawn in. Pure.

/** As many as streamer/view/annotator.py has in its palette; styles/palette.css has their values. */
export const COLORS = 6;

/** The number of a class's colour, as styles/palette.css has it.
 * @param {number} class_id
 */
export function colorOf(class_id) {
  return String(((((class_id - 1) % COLORS) + COLORS) % COLORS) + 1);
}
