// What is typed in and names people: it goes to the engine and is kept nowhere in the hub.

import { choice, field, fill, h } from "./dom.js";

const PRIVATE = { autocomplete: "off", spellcheck: "false", autocapitalize: "off" };

export class DeskView {
  constructor(app) {
    this._app = app;
    this._referrals = [];
    this._link = null; // shown once
    this._forms = {};
    this._lists = h("div", { class: "stack" });
    this._answer = h("div");
    this.element = h("div", { class: "stack" });
    this._build();
  }

  /** Ask for partners and referrals again; what somebody is typing stays. */
  async look() {
    await this._app.attempt(async () => {
      await this._app.partners({ again: true });
      this._referrals = await this._app.call("referral/list", { live: true });
    });
    this.show();
  }

  show() {
    options(this._forms.partner, this._app.partnersNow().map((one) => [one.partner, one.name]));
    options(this._forms.zone, this._app.things("zone").map((zone) => [zone.id, zone.name]));
    fill(this._lists, this._partners(), this._open());
  }

  _build() {
    const { words } = this._app;
    this._forms.partner = choice("partner", [], { required: true });
    this._forms.zone = choice("zone", [], { required: true });
    const number = (name, hint) => field(words.say("telephone"), h("input", { name, type: "tel", inputmode: "tel", required: true, maxlength: 32, ...PRIVATE }), hint);
    const text = (name, label, properties = {}, hint = undefined) => field(words.say(label), h("input", { name, maxlength: 80, ...PRIVATE, ...properties }), hint);
    const referral = this._form("register", [
      h("div", { class: "pair" }, field(words.say("fact_partner"), this._forms.partner), number("contact", words.say("masked_hint"))),
      h("div", { class: "pair" }, text("broker", "broker"), text("expected", "expected", { type: "datetime-local" })),
    ]);
    const arrival = this._form("check_in", [
      h("div", { class: "pair" }, field(words.say("fact_zone"), this._forms.zone), number("contact")),
      h("div", { class: "pair" }, text("source", "source", { maxlength: 40 }), text("alias", "fact_alias", {}, words.say("alias_hint"))),
    ]);
    const subject = this._form("subject", [text("alias", "fact_alias", { required: true })], this._answer);
    const partner = this._form("partner", [
      h("div", { class: "pair" }, text("partner", "partner_id", { required: true, maxlength: 63 }, words.say("partner_id_hint")), text("name", "company", { required: true })),
    ]);
    this.element.append(h("p", { class: "hint" }, words.say("desk_why")), h("div", { class: "tiles" }, referral, arrival, subject, partner), this._lists);
  }

  _form(name, fields, ...below) {
    const { words } = this._app;
    const send = async (event) => {
      event.preventDefault();
      const form = event.currentTarget; // gone once the event is over
      const given = Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, value.trim()]).filter(([, value]) => value));
      if (await this._app.attempt(() => this[`_${name}`](given), words.say(`done_${name}`))) {
        form.reset();
        this.look();
      }
    };
    const form = h("form", { onsubmit: send, "aria-label": words.say(`do_${name}`) }, h("h2", {}, words.say(`do_${name}`)), fields, h("div", {}, h("button", { class: "act main" }, words.say(`press_${name}`))));
    return h("section", { class: "card stack" }, form, below);
  }

  // --- what each form does ---

  async _register({ expected, ...given }) {
    const when = expected ? { expected: new Date(expected).toISOString() } : {};
    await this._app.call("referral/add", { ...given, ...when });
  }

  async _check_in(given) {
    await this._app.call("visit/check_in", given);
  }

  async _partner(given) {
    await this._app.call("partner/add", given);
  }

  async _subject({ alias }) {
    const found = await this._app.call("subject/get", { alias });
    const close = () => {
      fill(this._answer);
      this._answer.parentElement.querySelector("input").focus();
    };
    fill(this._answer, about(this._app.words, found, close));
  }

  // --- what there is ---

  _partners() {
    const { words } = this._app;
    const rows = this._app.partnersNow().map((one) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, one.name),
        h("td", { class: "code" }, one.partner),
        h("td", {}, h("button", { type: "button", class: "act", "data-key": `link-${one.partner}`, onclick: () => this._give(one) }, words.say("give_link"), h("span", { class: "spoken" }, ` ${one.name}`))),
      ),
    );
    const table = h("div", { class: "wide", tabindex: 0, role: "group" }, h("table", {}, h("tbody", {}, rows)));
    const all = rows.length ? table : h("p", { class: "quiet" }, words.say("no_partners"));
    return h("section", { class: "card stack" }, h("h2", {}, words.say("partners")), all, this._given());
  }

  async _give(partner) {
    await this._app.attempt(async () => {
      this._link = { ...(await this._app.call("partner/link", { partner: partner.partner })), called: partner.name };
    }, this._app.words.say("done_link"));
    this.show();
    this.element.querySelector("[name=link]")?.select();
  }

  _given() {
    const { words } = this._app;
    if (!this._link) return null;
    const link = h("input", { name: "link", readonly: true, ".value": this._link.url, onfocus: (event) => event.target.select() });
    const copy = () => this._app.attempt(() => copied(link), words.say("copied"));
    return h(
      "div",
      { class: "note stack tight" },
      field(words.say("link_of", { partner: this._link.called }), link, words.say("link_hint", { day: words.date(this._link.expires_at) })),
      h("div", {}, h("button", { type: "button", class: "act", "data-key": "copy", onclick: copy }, words.say("copy"))),
    );
  }

  _open() {
    const { words } = this._app;
    const take = (one) => async () => {
      await this._app.attempt(() => this._app.call("referral/withdraw", { referral: one.referral }), words.say("done_withdraw"));
      await this.look();
    };
    const rows = this._referrals.map((one) =>
      h(
        "tr",
        {},
        h("th", { scope: "row", class: "code" }, words.short(one.referral)),
        h("td", {}, this._app.partner(one.partner)),
        h("td", {}, one.broker ?? ""),
        h("td", {}, words.when(one.declared_at)),
        h("td", {}, words.when(one.valid_until)),
        h("td", {}, h("button", { type: "button", class: "act", "data-key": `take-${one.referral}`, onclick: take(one) }, words.say("take_back"), h("span", { class: "spoken" }, ` ${words.short(one.referral)}`))),
      ),
    );
    const heads = ["referral", "partner", "broker", "declared", "valid_until", "act"].map((key) => h("th", { scope: "col" }, words.say(`head_${key}`)));
    const table = h("div", { class: "wide", tabindex: 0, role: "group" }, h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)));
    return h("section", { class: "card stack" }, h("h2", {}, words.say("referrals")), rows.length ? table : h("p", { class: "quiet" }, words.say("no_referrals")));
  }
}

/** Everything about one visitor, and the file of it. */
function about(words, found, close) {
  const file = new Blob([JSON.stringify(found, null, 2)], { type: "application/json" });
  const url = URL.createObjectURL(file);
  const name = `${String(found.alias ?? "visitor").replaceAll(/\W+/g, "-")}.json`;
  const rows = Object.entries(found).filter(([, value]) => Array.isArray(value));
  const end = () => {
    URL.revokeObjectURL(url);
    close();
  };
  return h(
    "div",
    { class: "stack" },
    h("h3", { tabindex: -1 }, words.say("subject_of", { alias: found.alias ?? "–" })),
    h("ul", {}, rows.map(([key, value]) => h("li", {}, h("details", {}, h("summary", {}, words.say("kept", { what: words.name("kept", key), count: value.length })), h("pre", {}, JSON.stringify(value, null, 2)))))),
    h("div", { class: "row" }, h("a", { class: "act", href: url, download: name }, words.say("download")), h("button", { type: "button", class: "act", onclick: end }, words.say("close"))),
  );
}

/** Other options, with what was chosen kept. */
function options(select, all) {
  const before = select.value;
  const same = all.length === select.options.length && all.every(([key], index) => select.options[index].value === key);
  if (same) return;
  select.replaceChildren(...all.map(([key, text]) => h("option", { value: key }, text)));
  if (all.some(([key]) => key === before)) select.value = before;
}

/** The clipboard's own way needs HTTPS, which many a hub has not. */
async function copied(input) {
  if (navigator.clipboard) return await navigator.clipboard.writeText(input.value);
  input.select();
  return document.execCommand("copy");
}
