// Every camera: what it watches, whether it may recognise there, and how it is.

import { fill, h } from "./dom.js";

const LOOKS = { online: "good", connecting: "", offline: "bad", needs_credentials: "bad", no_video: "bad" };

export class CamerasView {
  constructor(app) {
    this._app = app;
    this.element = h("div", { class: "stack" });
  }

  show() {
    const { words } = this._app;
    const zones = new Map(this._app.things("zone").map((zone) => [zone.id, zone]));
    const cameras = this._app.things("camera").sort((one, other) => one.name.localeCompare(other.name));
    if (!cameras.length) return fill(this.element, h("p", { class: "card" }, words.say("no_cameras")));
    const online = cameras.filter((camera) => camera.state === "online").length;
    const told = words.say("cameras_told", { online: words.number(online), all: words.number(cameras.length) });
    const tiles = cameras.map((camera) => tile(words, camera, zones.get(camera.zone)));
    return fill(this.element, h("p", { role: "status" }, told), h("ul", { class: "tiles" }, tiles));
  }
}

function tile(words, camera, zone) {
  const armed = zone?.armed && camera.recognition !== false;
  const facts = [
    ["zone", zone ? `${zone.name} · ${words.name("kind", zone.kind)}` : camera.zone],
    ["recognition", camera.recognition === false ? words.say("switched_off") : words.say(armed ? "armed" : "not_armed")],
    camera.stream && ["stream", `${camera.stream.codec} ${camera.stream.width}×${camera.stream.height}, ${words.number(camera.stream.fps, 1)}/s`],
    known(camera.analysed_per_second) && ["analysed", `${words.number(camera.analysed_per_second, 1)}/s`],
    known(camera.clock_offset) && ["clock_offset", `${camera.clock_offset > 0 ? "+" : ""}${words.number(camera.clock_offset, 1)} s`],
  ].filter(Boolean);
  return h(
    "li",
    { class: "card stack tight" },
    h("div", { class: "row between" }, h("h2", {}, camera.name), h("span", { class: `chip ${LOOKS[camera.state] ?? ""}` }, words.name("camera", camera.state))),
    camera.reason && h("p", { class: "note bad" }, words.name("camera_why", camera.reason_code)),
    camera.reason && h("p", { class: "quiet", lang: "en" }, camera.reason),
    h("dl", { class: "facts" }, facts.flatMap(([key, value]) => [h("dt", {}, words.say(`fact_${key}`)), h("dd", {}, value)])),
    zone && !armed && zone.kind !== "observe" && h("p", { class: "quiet" }, zone.reasons.map((reason) => words.name("reason", reason)).join(words.say("comma"))),
  );
}

function known(value) {
  return value !== null && value !== undefined;
}
