// What the panel says, in the reader's language, and how it writes times and numbers.

import en from "./words-en.js";
import zh from "./words-zh.js";

/** The texts of one language, and times as the site's clocks show them. */
export class Words {
  /** `hass` is the hub as its frontend knows it. */
  constructor(hass) {
    this.chinese = (hass.language ?? "en").toLowerCase().startsWith("zh");
    this.language = this.chinese ? "zh-Hans" : "en";
    this.zone = hass.config?.time_zone;
    this._table = this.chinese ? zh : en;
    this._locale = this.chinese ? "zh-Hans" : hass.language ?? "en";
  }

  /** A text, with `{name}` replaced by `values.name`. */
  say(key, values = {}) {
    const text = this._table[key];
    if (text === undefined) throw new Error(`no word ${key}`);
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  /** What something is called, such as `risk.late_referral`; a newer engine's word that nobody translated is shown as it is. */
  name(kind, key) {
    return this._table[`${kind}.${key}`] ?? String(key).replaceAll("_", " ");
  }

  /** The texts of this kind: [key, text]. */
  names(kind) {
    const prefix = `${kind}.`;
    return Object.entries(this._table)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), text]);
  }

  /** A time of day. */
  time(moment, { seconds = false } = {}) {
    return this._format(moment, { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined });
  }

  /** A date. */
  date(moment) {
    return this._format(moment, { dateStyle: "medium" });
  }

  /** An opaque id, as much of it as tells it from others. */
  short(id) {
    return id.length > 12 ? id.slice(0, 6) : id;
  }

  /** The engine's sentences with its times written as the reader does, and its long ids made short. */
  told(text) {
    const shorter = text.replace(/\b[0-9a-f]{32}\b/g, (id) => this.short(id));
    return shorter.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?[+-]\d\d:\d\d/g, (moment) => this.when(moment));
  }

  /** A date and a time of day. */
  when(moment) {
    return this._format(moment, { dateStyle: "medium", timeStyle: "short" });
  }

  /** The local day of a moment, as `2026-03-02`. */
  day(moment) {
    const parts = { year: "numeric", month: "2-digit", day: "2-digit" };
    return new Intl.DateTimeFormat("en-CA", { ...parts, timeZone: this.zone }).format(new Date(moment));
  }

  /** A day as it is written, such as `2 March 2026`. */
  dayName(day) {
    return new Intl.DateTimeFormat(this._locale, { dateStyle: "full", timeZone: "UTC" }).format(new Date(`${day}T00:00Z`));
  }

  /** A number. */
  number(value, digits = 0) {
    return new Intl.NumberFormat(this._locale, { maximumFractionDigits: digits }).format(value);
  }

  /** A span, in its largest unit: `3 days`. */
  span(seconds) {
    const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? ["second", 1];
    const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: seconds < 10 ? 1 : 0 };
    return new Intl.NumberFormat(this._locale, style).format(seconds / size);
  }

  _format(moment, style) {
    return new Intl.DateTimeFormat(this._locale, { ...style, hourCycle: "h23", timeZone: this.zone }).format(new Date(moment));
  }
}

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
