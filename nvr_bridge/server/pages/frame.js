// What the scripts of all pages share.

const island = JSON.parse(document.getElementById("island").textContent);

export const language = island.language;
export const data = island;

/** A text of this page in the reader's language, with `{name}` replaced by `values.name`. */
export function word(key, values = {}) {
  const text = island.words[key];
  if (text === undefined) throw new Error(`no word ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Whether this page has such a text. */
export function has(key) {
  return key in island.words;
}

/** The one element that `selector` finds. */
export function one(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
}

/** A date and a time, or a date alone, as the reader writes it. `moment` is ISO 8601. */
export function when(moment, { time = true } = {}) {
  const style = time ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "long" };
  return new Intl.DateTimeFormat(language, style).format(new Date(moment));
}

/** Something that the engine refused, or that did not reach it: `code` is the engine's, or `unreachable`. */
export class Refused extends Error {
  constructor(code, message, flaw) {
    super(message);
    this.code = code;
    this.flaw = flaw;
  }
}

/** Ask the engine: GET, or POST when there is a `body`. → what it answered; throws `Refused`. */
export async function ask(path, body, { token } = {}) {
  const options = { headers: {}, credentials: "same-origin", cache: "no-store", redirect: "error" };
  if (token) options.headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  let said;
  try {
    answer = await fetch(path, options);
    said = await answer.json();
  } catch {
    throw new Refused("unreachable", "the engine does not answer");
  }
  if (!answer.ok) throw new Refused(said.error?.code ?? "error", said.error?.message ?? "", said.error?.flaw);
  return said;
}

/** Show one of the page's sections alone, and let its heading be read out. */
export function show(name) {
  for (const section of document.querySelectorAll("main [data-step]")) {
    section.hidden = section.dataset.step !== name;
  }
  const heading = one(`[data-step="${name}"] h1`);
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Do `work` while `button` waits; a second tap does nothing. */
export function onTap(button, work) {
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      await work(event);
    } finally {
      button.removeAttribute("aria-disabled");
    }
  });
}

// A change of language keeps the rest of the address: what stands after the `#` is this reader's own.
for (const link of document.querySelectorAll(".languages a")) {
  link.addEventListener("click", () => {
    const address = new URL(location.href);
    address.searchParams.set("lang", link.lang);
    link.href = address.href;
  });
}
