// @ts-check
// What this device is, what its stream may be called, and why its camera cannot be had. Pure but for the user agent.

/** @returns {"phone" | "tablet" | "computer"} */
export function device(agent = navigator.userAgent) {
  if (/iPad|Tablet/.test(agent)) return "tablet";
  return /Mobi|iPhone|Android/.test(agent) ? "phone" : "computer";
}

/** The order counts: most of them call themselves by the names of others as well. */
const BROWSERS = [
  [/Edg(A|iOS)?\//, "Edge"],
  [/OPR\//, "Opera"],
  [/SamsungBrowser\//, "Samsung Internet"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/Chrome\/|CriOS\/|Chromium\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS = [
  [/Android/, "Android"],
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

/**
 * What a browser calls itself, in a few words.
 *
 * @param {string} agent
 */
export function browserOf(agent) {
  const [browser, system] = [BROWSERS, SYSTEMS].map((all) =>
    all.find(([pattern]) => RegExp(pattern ?? "").test(agent)),
  );
  if (!browser) return agent.slice(0, 60) || "A browser that does not say which";
  return system ? `${browser[1]} on ${system[1]}` : `${browser[1]}`;
}

/**
 * A name of the first pattern that no stream has yet.
 *
 * @param {string[]} patterns of names that may be published, with * and ?
 * @param {Set<string>} taken
 * @param {string} [word] what stands for *
 */
export function freeName(patterns, taken, word = device()) {
  const fixed = patterns.filter((pattern) => !/[*?]/.test(pattern));
  const free = fixed.find((name) => !taken.has(name));
  if (free) return free;
  const pattern = patterns.find((each) => each.includes("*"));
  if (!pattern) return patterns[0] ?? word;
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? word : `${word}-${number}`;
    const name = pattern.replace("*", numbered).replaceAll("*", "").replaceAll("?", "1");
    if (!taken.has(name)) return name;
  }
}

const CAMERA_ERRORS = {
  NotAllowedError: "The browser was not allowed to use the camera; allow it in the address bar and start again",
  NotFoundError: "This device has no camera",
  NotReadableError: "The camera cannot be read; another program may be using it",
  AbortError: "The camera did not start; another program may be using it",
  SecurityError: "The browser lets this page use no camera",
  OverconstrainedError: "The camera cannot do what was asked of it",
};

/**
 * An error of getUserMedia or of publishing in a sentence.
 *
 * @param {Error} error
 */
export function explain(error) {
  // Chromium, where macOS, Windows or Android is what forbids it: nothing in the address bar helps.
  if (error.name === "NotAllowedError" && /system/i.test(error.message))
    return "This device’s settings do not let the browser use the camera; allow it there and start again";
  return CAMERA_ERRORS[/** @type {keyof typeof CAMERA_ERRORS} */ (error.name)] ?? error.message;
}
