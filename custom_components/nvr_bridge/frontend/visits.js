// How many came in which hour, and what their visits came to.

import { dayPicker } from "./days.js";
import { fill, h, svg } from "./dom.js";

const ANSWERS = ["natural", "channel", "staff", "undetermined"];
const OPEN = [8, 20]; // hours that are shown even if nobody came
const HEIGHT = 240;

export class VisitsView {
  constructor(app) {
    this._app = app;
    this._day = null;
    this._rows = null;
    this._bar = h("div");
    this._body = h("div", { class: "stack" });
    this.element = h("div", { class: "stack" }, this._bar, this._body);
    this._watch = new ResizeObserver(() => this._draw());
    this._watch.observe(this._body);
  }

  /** Ask for the day that is shown. */
  async look() {
    const asked = this._day;
    const day = asked ?? this._app.words.day(Date.now());
    await this._app.attempt(async () => {
      const rows = await this._app.call("report/visits", { from: day, to: day, by: "hour" });
      if (asked === this._day) this._rows = rows;
    });
    this._draw();
  }

  show() {
    const picked = (day) => {
      this._day = day;
      this._rows = null;
      this.show();
      this.look();
    };
    fill(this._bar, dayPicker(this._app, this._day, picked));
    this._draw();
  }

  _draw() {
    const { words } = this._app;
    if (!this._rows) return fill(this._body, h("p", { class: "card" }, words.say("loading")));
    const width = Math.max(260, (this._body.clientWidth || 800) - 34);
    const day = this._day ?? words.day(Date.now());
    const totals = ANSWERS.map((answer) => this._rows.reduce((sum, row) => sum + row[answer], 0));
    const visits = this._rows.reduce((sum, row) => sum + row.visits, 0);
    const returning = this._rows.reduce((sum, row) => sum + row.returning, 0);
    const legend = ANSWERS.map((answer, number) =>
      h("li", { class: "row" }, h("span", { class: `dot ${answer}` }), `${words.name("attribution", answer)}: ${words.number(totals[number])}`),
    );
    const told = words.say("visits_told", { visits: words.number(visits), returning: words.number(returning) });
    const rows = shownHours(this._rows);
    return fill(
      this._body,
      h(
        "figure",
        { class: "card stack" },
        h("figcaption", { class: "stack tight" }, h("h2", {}, words.say("visits_on", { day: words.dayName(day) })), h("p", {}, told)),
        h("ul", { class: "row" }, legend),
        bars(words, rows, width, told),
        h("details", {}, h("summary", { "data-key": "table" }, words.say("as_table")), table(words, rows)),
      ),
    );
  }
}

function shownHours(rows) {
  const hours = rows.map((row) => ({ ...row, number: Number(row.hour.slice(11, 13)) }));
  const busy = hours.filter((row) => row.visits).map((row) => row.number);
  const [from, to] = [Math.min(OPEN[0], ...busy), Math.max(OPEN[1], ...busy)];
  return hours.filter((row) => row.number >= from && row.number <= to);
}

function bars(words, rows, width, told) {
  const most = Math.max(4, ...rows.map((row) => row.visits));
  const step = Math.ceil(most / 4);
  const top = step * Math.ceil(most / step);
  const [left, bottom] = [28, HEIGHT - 24];
  const each = (width - left) / rows.length;
  const tall = (count) => (count / top) * (bottom - 8);
  const children = [];
  for (let count = 0; count <= top; count += step) {
    const y = bottom - tall(count);
    children.push(svg("line", { class: "axis", x1: left, x2: width, y1: y, y2: y }));
    children.push(svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, words.number(count)));
  }
  const every = Math.ceil(34 / each);
  rows.forEach((row, number) => {
    const x = left + number * each;
    let y = bottom;
    for (const answer of ANSWERS) {
      if (!row[answer]) continue;
      y -= tall(row[answer]);
      const title = svg("title", {}, `${row.hour.slice(11, 16)} ${words.name("attribution", answer)}: ${row[answer]}`);
      children.push(svg("rect", { class: answer, x: x + each * 0.14, y, width: each * 0.72, height: Math.max(tall(row[answer]) - 1, 1), rx: 2 }, title));
    }
    if (number % every === 0) {
      children.push(svg("text", { x: x + each / 2, y: HEIGHT - 6, "text-anchor": "middle" }, row.hour.slice(11, 13)));
    }
  });
  return svg("svg", { class: "plot", height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": told }, children);
}

function table(words, rows) {
  const heads = [["hour", words.say("hour")], ...ANSWERS.map((answer) => [answer, words.name("attribution", answer)]), ["returning", words.say("returning")]];
  const cell = (row, [key]) => (key === "hour" ? h("th", { scope: "row" }, row.hour.slice(11, 16)) : h("td", { class: "count" }, words.number(row[key])));
  return h(
    "div",
    { class: "wide" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, heads.map(([key, text]) => h("th", { scope: "col", class: key === "hour" ? null : "count" }, text)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, heads.map((head) => cell(row, head))))),
    ),
  );
}
