// A day, and the way to the one before and after it.

import { h } from "./dom.js";

/** `day` is such as 2026-03-02, null for today; `picked` is called with the day that somebody picks. */
export function dayPicker(app, day, picked) {
  const today = app.words.day(Date.now());
  const shown = day ?? today;
  const pick = (next) => picked(next >= today ? null : next);
  const input = h("input", {
    type: "date",
    name: "day",
    "data-key": "day",
    max: today,
    ".value": shown,
    "aria-label": app.words.say("day"),
    onchange: (event) => event.target.value && pick(event.target.value),
  });
  const step = (key, days, disabled) =>
    h(
      "button",
      { type: "button", class: "act", "data-key": key, disabled, "aria-label": app.words.say(key), onclick: () => pick(moved(shown, days)) },
      days < 0 ? "‹" : "›",
    );
  const back = h("button", { type: "button", class: "act", "data-key": "today", onclick: () => pick(today) }, app.words.say("today"));
  return h("div", { class: "row" }, step("day_before", -1, false), input, step("day_after", 1, shown >= today), shown < today && back);
}

/** The day so many days later. */
export function moved(day, days) {
  return new Date(Date.parse(`${day}T00:00Z`) + days * 86400000).toISOString().slice(0, 10);
}
