// What a verdict rests on, along the time of the visit, with what each clock may be wrong by.

import { h, svg } from "./dom.js";

const NEAR = 5; // seconds around the arrival that the axis shows at full length; further away it is compressed
const LANE = 40; // pixels
const LEAST = 9; // pixels that an error takes at least, or nobody would see that there is one
const TICKS = [-2592000, -604800, -259200, -86400, -21600, -3600, -1800, -300, -30, 0, 30, 300, 1800, 3600, 21600];
const ORDER = ["sighting", "pass", "check_in", "signing"];

/** What happened, and when, in seconds from the arrival. `called` gives a partner's name. */
export function evidence(found, called) {
  const start = Date.parse(found.started_at) / 1000;
  const since = (moment) => Date.parse(moment) / 1000 - start;
  const inputs = found.explanation?.inputs ?? {};
  const referrals = (inputs.referrals ?? []).map((one) => ({
    kind: "referral",
    id: one.id,
    partner: called(one.partner),
    state: one.state,
    tied_by: one.tied_by,
    moment: one.declared,
    at: since(one.declared),
    error: 0,
  }));
  const moments = (found.moments ?? []).map((one) => ({ ...one, moment: one.at, at: since(one.at) }));
  return {
    start: { at: 0, error: inputs.start_error ?? 0 },
    end: since(found.last_at),
    all: [...referrals, ...moments].sort((one, other) => one.at - other.at),
  };
}

/** The picture. `width` in pixels; `lead` is how long before the arrival a referral must be made, in seconds, if that is known. */
export function timeline(words, lines, width, lead) {
  const scale = axis(lines, width, lead);
  const lanes = grouped(lines.all);
  const bottom = (lanes.length + 1) * LANE + 4;
  const children = [];
  for (const tick of ticks(scale, lines)) {
    const at = scale.x(tick);
    children.push(svg("line", { class: tick ? "axis" : "arrival", x1: at, x2: at, y1: 0, y2: bottom }));
    const anchor = at < 24 ? "start" : at > width - 24 ? "end" : "middle";
    children.push(svg("text", { x: at, y: bottom + 16, "text-anchor": anchor }, tickName(words, tick)));
  }
  if (lead && scale.low <= -lead) {
    const at = scale.x(-lead);
    children.push(svg("line", { class: "bound", x1: at, x2: at, y1: 0, y2: bottom }));
  }
  const stay = LANE - 14;
  const [from, to] = [scale.x(0), scale.x(Math.max(lines.end, 0))];
  children.push(
    svg("text", { class: "name", x: 0, y: 14 }, words.say("lane_visit")),
    svg("rect", { class: "stay", x: from, y: stay - 7, width: Math.max(to - from, 2), height: 14, rx: 4 }),
    error(scale, lines.start, stay),
  );
  lanes.forEach((lane, number) => {
    const top = (number + 1) * LANE;
    children.push(svg("text", { class: "name", x: 0, y: top + 14 }, laneName(words, lane[0], width)));
    for (const one of lane) {
      children.push(error(scale, one, top + LANE - 14), mark(scale, one, top + LANE - 14));
    }
  });
  return svg("svg", { class: "plot", height: bottom + 24, viewBox: `0 0 ${width} ${bottom + 24}`, role: "img", "aria-label": words.say("timeline_of", { count: lines.all.length }) }, children);
}

/** The same in words, for whoever does not see the picture, and with the exact figures for whoever does. */
export function inWords(words, lines) {
  const told = lines.all.map((one) => [
    words.when(one.moment),
    one.error ? words.say("error_bar", { error: words.span(one.error) }) : words.say("exact"),
    describe(words, one),
  ]);
  const heads = ["when", "clock", "what"].map((key) => h("th", { scope: "col" }, words.say(`head_${key}`)));
  const rows = told.map((cells) => h("tr", {}, cells.map((cell) => h("td", { class: "words" }, cell))));
  return h("div", { class: "wide", tabindex: 0, role: "group" }, h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)));
}

// --- helpers ---

function describe(words, one) {
  if (one.kind === "referral") {
    const places = { id: words.short(one.id), partner: one.partner, state: words.name("referral", one.state), tie: words.name("tie", one.tied_by) };
    return words.say("told_referral", places);
  }
  const what = words.name("moment", one.kind);
  if (one.kind !== "sighting" || one.score === null || one.score === undefined) return what;
  return words.say(one.certain ? "told_sighting" : "told_doubtful", { what, score: words.number(one.score, 2) });
}

function grouped(all) {
  const referrals = all.filter((one) => one.kind === "referral").map((one) => [one]);
  const others = ORDER.map((kind) => all.filter((one) => one.kind === kind)).filter((lane) => lane.length);
  return [...referrals, ...others];
}

function laneName(words, one, width) {
  if (one.kind !== "referral") return words.name("moment", one.kind);
  const name = words.say("lane_referral", { id: words.short(one.id), partner: one.partner, state: words.name("referral", one.state) });
  const room = Math.floor(width / 7);
  return name.length > room ? `${name.slice(0, room - 1)}…` : name;
}

function axis(lines, width, lead) {
  const low = Math.min(-30, ...lines.all.map((one) => one.at - one.error), lead && lines.all.some((one) => one.kind === "referral") ? -lead : 0) * 1.25;
  const high = Math.max(30, lines.end, ...lines.all.map((one) => one.at + one.error)) * 1.25;
  const left = bent(low);
  const ratio = (width - 16) / (bent(high) - left);
  return { low, high, x: (at) => 8 + (bent(at) - left) * ratio };
}

function bent(seconds) {
  return Math.asinh(seconds / NEAR);
}

/** Those that have room, the arrival first. */
function ticks(scale) {
  const inside = TICKS.filter((tick) => tick >= scale.low && tick <= scale.high);
  const kept = [0];
  for (const tick of inside.sort((one, other) => Math.abs(one) - Math.abs(other))) {
    if (kept.every((other) => Math.abs(scale.x(other) - scale.x(tick)) >= 84)) kept.push(tick);
  }
  return kept;
}

function tickName(words, tick) {
  return tick === 0 ? words.say("arrival") : `${tick < 0 ? "−" : "+"}${words.span(Math.abs(tick))}`;
}

function error(scale, one, y) {
  if (!one.error) return null;
  const middle = scale.x(one.at);
  const from = Math.min(scale.x(one.at - one.error), middle - LEAST);
  const to = Math.max(scale.x(one.at + one.error), middle + LEAST);
  return svg("path", { class: "error", d: `M${from} ${y - 6}v12M${from} ${y}H${to}M${to} ${y - 6}v12` });
}

function mark(scale, one, y) {
  const at = scale.x(one.at);
  const look = `mark ${one.kind}${one.certain === false ? " doubtful" : ""}`;
  if (one.kind === "sighting") return svg("circle", { class: look, cx: at, cy: y, r: 5 });
  return svg("path", { class: look, d: `M${at} ${y - 7}l7 7l-7 7l-7-7z` });
}
