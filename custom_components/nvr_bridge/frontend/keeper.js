// Consent and retention at a glance, for whoever answers for the data.

import { fill, h } from "./dom.js";

export class KeeperView {
  constructor(app) {
    this._app = app;
    this._classes = [];
    this.element = h("div", { class: "stack" });
  }

  /** How long things are kept. An engine that does not say is shown without. */
  async look() {
    try {
      this._classes = (await this._app.call("retention/get")).classes;
    } catch {
      this._classes = [];
    }
    this.show();
  }

  show() {
    const { words, engine } = this._app;
    const known = engine?.things?.engine;
    if (!known) return fill(this.element, h("p", { class: "card" }, words.say("not_connected")));
    return fill(
      this.element,
      armed(words, known),
      h("div", { class: "tiles small" }, figures(words, known)),
      this._zones(words),
      this._classes.length > 0 && retention(words, this._classes),
    );
  }

  _zones(words) {
    const rows = this._app.things("zone").map((zone) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, zone.name),
        h("td", {}, words.name("kind", zone.kind)),
        h("td", {}, h("span", { class: `chip ${zone.armed ? "good" : ""}` }, words.say(zone.armed ? "armed" : "not_armed"))),
        h("td", { class: "words" }, zone.armed ? "" : zone.reasons.map((reason) => words.name("reason", reason)).join(words.say("comma"))),
      ),
    );
    const heads = ["zone", "kind", "recognition", "why_not"].map((key) => h("th", { scope: "col" }, words.say(`fact_${key}`)));
    return h(
      "section",
      { class: "card stack" },
      h("h2", {}, words.say("zones")),
      h("div", { class: "wide", tabindex: 0, role: "group" }, h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows))),
    );
  }
}

function armed(words, known) {
  const reasons = known.watch?.reasons ?? [];
  const off = known.recognition === false;
  return h(
    "section",
    { class: "card stack tight" },
    h(
      "div",
      { class: "row between" },
      h("h2", {}, words.say(off ? "engine_disarmed" : known.armed ? "engine_armed" : "engine_not_armed")),
      h("span", { class: `chip ${known.armed ? "good" : "warn"}` }, words.say(known.armed ? "armed" : "not_armed")),
    ),
    h("p", { class: "quiet" }, words.say("profile", { profile: known.profile ?? "" })),
    reasons.length > 0 && h("ul", { class: "stack tight" }, reasons.map((reason) => h("li", { class: "note" }, words.name("reason", reason)))),
  );
}

function figures(words, known) {
  const watch = known.watch ?? {};
  const near = watch.subjects_warning && known.subjects >= watch.subjects_warning;
  const all = [
    ["subjects", words.number(known.subjects), watch.subjects_warning && words.say("warning_at", { level: words.number(watch.subjects_warning) }), near],
    ["without_permit", words.number(known.embeddings_without_permit), words.say("must_be_none"), known.embeddings_without_permit > 0],
    ["overdue", words.number(watch.erasures_overdue ?? 0), words.say("must_be_none"), watch.erasures_overdue > 0],
    ["to_renew", words.number(watch.to_renew ?? 0), words.say("to_renew_why"), watch.to_renew > 0],
    ["oldest_template", moment(words, watch.oldest_template, "none"), null, false],
    ["next_purge", moment(words, watch.next_purge, "not_yet"), null, watch.next_purge && Date.parse(watch.next_purge) < Date.now() - 3600000],
    ["assessment", moment(words, watch.assessment_expires_at, "none"), words.say("assessment_why"), !watch.assessment_expires_at],
    ["waiting", words.number(known.cases_waiting ?? 0), null, false],
  ];
  return all.map(([key, value, hint, wrong]) =>
    h(
      "section",
      { class: "card stack tight" },
      h("h3", {}, words.say(`figure_${key}`)),
      h("p", { class: "big" }, value),
      h("div", { class: "row" }, wrong && h("span", { class: "chip warn" }, words.say("look_at_it")), hint && h("p", { class: "hint" }, hint)),
    ),
  );
}

function retention(words, classes) {
  const rows = classes.map((one) =>
    h("tr", {}, h("th", { scope: "row" }, words.name("class", one.class)), h("td", { class: "count" }, one.days === null ? "–" : words.number(one.days)), h("td", {}, words.name("source", one.source))),
  );
  const heads = [h("th", { scope: "col" }, words.say("head_class")), h("th", { scope: "col", class: "count" }, words.say("head_days")), h("th", { scope: "col" }, words.say("head_source"))];
  return h(
    "section",
    { class: "card stack" },
    h("h2", {}, words.say("retention")),
    h("div", { class: "wide", tabindex: 0, role: "group" }, h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows))),
  );
}

function moment(words, value, otherwise) {
  return value ? words.when(value) : words.say(otherwise);
}
