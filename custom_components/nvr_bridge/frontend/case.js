// One case: its verdict, why, what that rests on, what happened to it, and what a reviewer may do now.

import { choice, field, fill, h } from "./dom.js";
import { evidence, inWords, timeline } from "./timeline.js";

const ANSWERS = ["natural", "channel", "staff", "undetermined"];
const SECONDS = { min: 60, h: 3600, d: 86400 };
const MAY = {
  proposed: ["confirm", "change", "ask"],
  sent_back: ["confirm", "change"],
  appealed: ["confirm", "change", "ask"],
  awaiting_second: ["agree", "refuse"],
  confirmed: ["change"],
  changed: ["change"],
  closed: [],
};

export class CaseView {
  /** `decided` is called when somebody decided here. */
  constructor(app, decided) {
    this._app = app;
    this._decided = decided;
    this._id = undefined;
    this._known = undefined; // the case as it was read: reading one is recorded, so it is read again only when it changed
    this._acting = null; // which form is open
    this._seen = undefined; // the version on which that form was opened
    this._head = h("div", { class: "stack" });
    this._acts = h("div", { class: "stack" });
    this._body = h("div", { class: "stack" });
    this._plot = h("div");
    this.element = h("section", { class: "detail stack", "aria-label": app.words.say("case") }, this._head, this._acts, this._body);
    this._watch = new ResizeObserver(() => this._draw());
    this._watch.observe(this._plot);
  }

  /** Show the case of this id; `row` is what the list says of it, if it is listed. */
  async show(id, row) {
    const changed = row && this._known && (row.version !== this._known.version || row.state !== this._known.state);
    if (id === this._id && !changed) return;
    const isNew = id !== this._id;
    this._id = id;
    if (isNew) {
      this._known = undefined;
      this._acting = null;
      fill(this._head, h("p", { class: "card quiet" }, this._app.words.say(id ? "loading" : "choose_case")));
      fill(this._acts);
      fill(this._body);
    }
    if (!id) return;
    await this._app.attempt(async () => {
      await this._app.partners();
      const found = await this._app.call("case/get", { case: id });
      if (id !== this._id) return;
      this._known = found;
      this._fill();
      if (isNew) this._title?.focus({ preventScroll: true });
    });
  }

  // --- what it shows ---

  _fill() {
    const { words } = this._app;
    const found = this._known;
    const why = found.explanation?.[words.chinese ? "why_zh" : "why"];
    const back = h("button", { type: "button", class: "act", "data-key": "back", onclick: () => this._app.go("review") }, words.say("back"));
    this._title = h("h2", { tabindex: -1 }, this._app.answer(found));
    this._lines = evidence(found, (partner) => this._app.partner(partner));
    fill(
      this._head,
      h("div", { class: "back" }, back),
      h(
        "section",
        { class: "card stack" },
        h("div", { class: "row between" }, h("div", { class: "row" }, h("span", { class: `dot ${found.attribution ?? ""}` }), this._title), h("span", { class: `chip ${found.needs_review ? "warn" : ""}` }, words.name("state", found.state))),
        h("p", {}, why ? words.told(why) : words.say(found.evidence_erased ? "erased" : "no_verdict")),
        found.waiting && h("p", { class: "note warn" }, words.say("waiting", { answer: this._app.answer(found.waiting) })),
        facts(words, this._facts(found)),
        found.risks.length > 0 && this._risks(found.risks),
      ),
    );
    fill(
      this._body,
      h("section", { class: "card stack" }, h("h2", {}, words.say("evidence")), this._evidence(found)),
      h("section", { class: "card stack" }, h("h2", {}, words.say("history")), this._history(found.history)),
    );
    this._draw();
    this._offer();
  }

  _facts(found) {
    const { words } = this._app;
    const zone = this._app.things("zone").find((one) => one.id === found.zone)?.name ?? found.zone;
    const error = found.explanation?.inputs?.start_error;
    return [
      ["case", h("span", { class: "code" }, found.case)],
      ["alias", found.alias ?? words.say("no_alias")],
      ["zone", zone],
      ["arrived", [words.when(found.started_at), error ? ` ${words.say("error_bar", { error: words.span(error) })}` : ""]],
      ["left", found.ended_at ? words.when(found.last_at) : words.say("still_here")],
      ["rule", found.rule ? words.name("rule", found.rule) : "–"],
      ["earlier", found.earlier ? words.say("visit_number", { number: found.earlier + 1 }) : words.say("first_visit")],
    ];
  }

  _risks(risks) {
    const { words } = this._app;
    const items = risks.map((risk) => h("li", { class: "note warn" }, h("b", {}, words.name("risk", risk)), words.say("colon"), words.name("risk_why", risk)));
    return h("div", { class: "stack tight" }, h("h3", {}, words.say("risks")), h("ul", { class: "stack tight" }, items));
  }

  _evidence(found) {
    const { words } = this._app;
    if (!found.explanation) return h("p", {}, words.say("erased"));
    const doubts = (found.explanation.uncertainty ?? []).map((doubt) => {
      const figures = doubt.error !== undefined && words.say("doubt_by", { difference: words.span(Math.abs(doubt.difference)), error: words.span(doubt.error) });
      return h("li", { class: "note warn" }, words.name("doubt", doubt.what), figures);
    });
    const links = (found.explanation.links ?? []).flatMap((link) => link.by).map((by) => words.name("link", by));
    return [
      h("figure", { class: "stack tight" }, this._plot, h("figcaption", { class: "hint" }, words.say("timeline_why"), this._lead() && ` ${words.say("timeline_lead")}`)),
      doubts.length > 0 && [h("h3", {}, words.say("doubts")), h("ul", { class: "stack tight" }, doubts)],
      links.length > 0 && facts(words, [["known_by", [...new Set(links)].join(words.say("comma"))]]),
      h("details", {}, h("summary", { "data-key": "figures" }, words.say("as_table")), inWords(words, this._lines)),
    ];
  }

  _history(history) {
    const { words } = this._app;
    if (!history.length) return h("p", { class: "quiet" }, words.say("no_history"));
    const step = (one) => {
      const who = this._app.user(one.user) ?? one.by ?? words.say("by_engine");
      const to = one.attribution ? `${words.say("colon")}${this._app.answer(one)}` : "";
      return h(
        "li",
        {},
        h("p", {}, h("b", {}, words.name("act", one.act)), to),
        one.reason && h("p", {}, words.say("quoted", { reason: one.reason })),
        h("p", { class: "quiet" }, `${words.when(one.at)} · ${who}`),
      );
    };
    return h("ol", { class: "steps" }, history.map(step));
  }

  _draw() {
    const width = Math.floor(this._plot.clientWidth);
    if (!this._known?.explanation || !width) return;
    fill(this._plot, timeline(this._app.words, this._lines, width, this._lead()));
  }

  /** How long before the arrival a referral must be made, in seconds, if the engine says so. */
  _lead() {
    const settings = this._app.engine?.things?.engine?.settings ?? [];
    const lead = settings.find((one) => one.key === "attribution_lead_time");
    return SECONDS[lead?.unit] && lead.value * SECONDS[lead.unit];
  }

  // --- what a reviewer may do ---

  _offer() {
    const { words } = this._app;
    const found = this._known;
    let may = MAY[found.state] ?? [];
    if (found.attribution === "undetermined" || !found.version) may = may.filter((act) => act !== "confirm");
    if (found.evidence_erased) may = may.filter((act) => act === "confirm");
    if (!may.includes(this._acting)) this._acting = null;
    if (!may.length) return fill(this._acts);
    if (this._acting && this._acts.querySelector("form")) return undefined; // what somebody is typing stays
    if (this._acting) return fill(this._acts, this._form(this._acting));
    const press = { confirm: () => this._do("case/confirm", {}, "confirm"), agree: () => this._do("case/second", { agree: true }, "agree") };
    const buttons = may.map((act, number) =>
      h("button", { type: "button", class: `act ${number ? "" : "main"}`, "data-key": act, onclick: press[act] ?? (() => this._open(act)) }, words.say(`do_${act}`)),
    );
    return fill(this._acts, h("section", { class: "card row" }, buttons));
  }

  _open(act) {
    this._acting = act;
    this._seen = this._known.version;
    this._offer();
    this._acts.querySelector("select, textarea")?.focus();
  }

  _form(act) {
    const { words } = this._app;
    const reason = h("textarea", { name: "reason", required: true, maxlength: 500, autocomplete: "off" });
    const partner = choice("partner", this._app.partnersNow().map((one) => [one.partner, one.name]));
    const whom = field(words.say("fact_partner"), partner);
    const verdict = choice("attribution", ANSWERS.map((one) => [one, words.name("attribution", one)]), {
      value: this._known.attribution ?? "natural",
      onchange: () => (whom.hidden = verdict.value !== "channel"),
    });
    whom.hidden = verdict.value !== "channel";
    if (this._known.partner) partner.value = this._known.partner;
    const send = async (event) => {
      event.preventDefault();
      const given = { reason: reason.value.trim() };
      if (act === "ask") return await this._do("case/send_back", given, act);
      if (act === "refuse") return await this._do("case/second", { ...given, agree: false }, act);
      const channel = verdict.value === "channel" ? { partner: partner.value } : {};
      return await this._do("case/change", { ...given, attribution: verdict.value, ...channel }, act);
    };
    const stop = () => {
      this._acting = null;
      fill(this._acts);
      this._offer();
      this._acts.querySelector("button")?.focus();
    };
    return h(
      "form",
      { class: "card", onsubmit: send, "aria-label": words.say(`do_${act}`), onkeydown: (event) => event.key === "Escape" && stop() },
      h("h2", {}, words.say(`do_${act}`)),
      act === "change" && h("div", { class: "pair" }, field(words.say("verdict"), verdict), whom),
      field(words.say("reason"), reason, words.say(act === "ask" ? "ask_hint" : "reason_hint")),
      h("div", { class: "row" }, h("button", { class: "act main" }, words.say(`do_${act}`)), h("button", { type: "button", class: "act", onclick: stop }, words.say("cancel"))),
    );
  }

  async _do(command, given, act) {
    const { words } = this._app;
    const seen = command === "case/send_back" ? {} : { seen: this._acting ? this._seen : this._known.version };
    const done = await this._app.attempt(() => this._app.call(command, { case: this._id, ...seen, ...given }), words.say(`done_${act}`));
    if (done) {
      this._acting = null;
      fill(this._acts);
    }
    await this._decided();
    if (done) this._title?.focus({ preventScroll: true });
  }
}

function facts(words, rows) {
  return h("dl", { class: "facts" }, rows.flatMap(([key, value]) => [h("dt", {}, words.say(`fact_${key}`)), h("dd", {}, value)]));
}
