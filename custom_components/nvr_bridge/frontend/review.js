// The evening review: the cases of a day, what each verdict rests on, and what a person says to it.

import { CaseView } from "./case.js";
import { dayPicker } from "./days.js";
import { fill, h } from "./dom.js";

export class ReviewView {
  constructor(app) {
    this._app = app;
    this._day = null; // today, with those of earlier days that wait
    this._waiting = false; // whether only those are shown that somebody must look at
    this._rows = null;
    this._case = new CaseView(app, () => this.look());
    this._bar = h("div", { class: "row between" });
    this._list = h("nav", { class: "card list", "aria-label": app.words.say("cases") });
    this._split = h("div", { class: "review" }, this._list, this._case.element);
    this.element = h("div", { class: "stack" }, this._bar, this._split);
  }

  /** Ask for the list again, and for the case that is open if it changed. */
  async look() {
    const day = this._day;
    await this._app.attempt(async () => {
      await this._app.partners();
      const rows = await this._app.call("case/list", day ? { day } : {});
      if (day === this._day) this._rows = rows;
    });
    this.show();
  }

  show() {
    const { words } = this._app;
    const [open] = this._app.rest;
    this._split.classList.toggle("chosen", open !== undefined);
    this._bar.hidden = open !== undefined && this._app.hasAttribute("narrow");
    const picked = (day) => {
      this._day = day;
      this._rows = null;
      this._app.go("review");
      this.look();
    };
    const only = h("input", {
      type: "checkbox",
      name: "waiting",
      "data-key": "waiting",
      ".checked": this._waiting,
      onchange: (event) => {
        this._waiting = event.target.checked;
        this.show();
      },
    });
    fill(this._bar, dayPicker(this._app, this._day, picked), h("label", { class: "check" }, only, words.say("only_waiting")));
    fill(this._list, this._groups(open));
    this._case.show(open, this._rows?.find((row) => row.case === open));
  }

  _groups(open) {
    const { words } = this._app;
    if (!this._rows) return h("h3", {}, words.say("loading"));
    const rows = this._rows.filter((row) => row.needs_review || !this._waiting);
    const today = words.day(Date.now());
    const older = this._day ? [] : rows.filter((row) => words.day(row.started_at) < today);
    const theirs = rows.filter((row) => !older.includes(row));
    const waiting = rows.filter((row) => row.needs_review).length;
    const title = this._day ? words.dayName(this._day) : words.say("today");
    return [
      h("p", { class: "spoken", role: "status" }, words.say("cases_told", { all: rows.length, waiting })),
      this._group(title, theirs, open),
      older.length > 0 && this._group(words.say("older"), older, open, true),
    ];
  }

  _group(title, rows, open, isOlder = false) {
    const { words } = this._app;
    const items = rows.map((row) => h("li", {}, this._row(row, open, isOlder)));
    return [h("h3", {}, words.say("group", { title, count: rows.length })), items.length ? h("ul", {}, items) : h("p", { class: "case quiet" }, words.say("nobody"))];
  }

  _row(row, open, isOlder) {
    const { words } = this._app;
    const look = row.needs_review && h("span", { class: "chip warn" }, words.say("look_at_it"));
    const risks = row.risks.map((risk) => words.name("risk", risk)).join(words.say("comma"));
    return h(
      "button",
      { type: "button", class: "case", "data-key": row.case, "aria-current": row.case === open ? "true" : null, onclick: () => this._app.go("review", row.case) },
      h("span", { class: "row between" }, h("span", { class: "row" }, h("span", { class: `dot ${row.attribution ?? ""}` }), h("b", {}, this._app.answer(row))), look),
      h("span", { class: "quiet" }, [isOlder ? words.when(row.started_at) : words.time(row.started_at), row.alias ?? words.say("no_alias"), words.name("state", row.state)].join(" · ")),
      risks && h("span", {}, risks),
    );
  }
}
