// The consent page: one step at a time, for one person at a time.
import { ask, data, language, one, onTap, Refused, show, when, word } from "./frame.js";
import { closeCamera, hasCamera, openCamera, picture } from "./visit-camera.js";

const POLL = 1500; // milliseconds between looks at the zone
const IDLE = 60_000; // milliseconds without a touch after which a step is given up
const RECEIPT = 60; // seconds that a receipt stays on the screen
const PASS_POLL = 500;

const here = `/visit/${data.zone}`;
let step = "";
let age = null;
let capture = null;
let greeted = null; // who is asked to agree again, and whether they showed a pass
let zone = { armed: false, cameras: [], ask: true, people: 0 };
let idle = 0;
let leaving = 0;

function go(name) {
  step = name;
  clearInterval(leaving);
  if (name !== "tablet") closeCamera();
  one(".languages").hidden = !["pair", "rest", "welcome"].includes(name); // or a change would lose the step
  show(name);
  touched();
}

function touched() {
  clearTimeout(idle);
  if (!["pair", "rest", "welcome", "receipt", "returning"].includes(step)) idle = setTimeout(giveUp, IDLE);
}

/** What the engine refused, in words for the person before the screen. */
function told(error) {
  if (!(error instanceof Refused)) throw error;
  if (error.code === "unauthorized") location.reload(); // no longer paired
  if (error.flaw) return word(`flaw_${error.flaw}`);
  const known = { unreachable: "unreachable", not_armed: "off_text", conflict: "already", face: "start_again" };
  const more = { not_found: "gone", rate_limited: "too_often", not_known: "not_known" };
  return word({ ...known, ...more }[error.code] ?? "error");
}

function sorry(error) {
  one("#sorry_text").textContent = told(error);
  go("sorry");
}

/** Back to the beginning; nothing that this person typed or was shown stays. */
function begin() {
  age = capture = greeted = null;
  for (const id of ["crop", "code_qr", "link_qr"]) one(`#${id}`).removeAttribute("src");
  const texts = ["code", "receipt_text", "hello_title", "hello_text", "renew_title", "renew_text"];
  for (const id of texts) one(`#${id}`).textContent = "";
  for (const input of document.querySelectorAll("input")) input.value = "";
  for (const problem of document.querySelectorAll(".problem[role=alert]")) problem.textContent = "";
  go(zone.people > 0 && !zone.ask ? "rest" : "welcome");
}

async function giveUp() {
  begin();
  await post("cancel").catch(() => {});
}

const post = (path, body = {}) => ask(`${here}/${path}`, body);
const who = () => ({ language, notice_hash: data.notice_hash, age });

// --- what the zone's cameras see -----------------------------------------------------------------------------------

async function poll() {
  try {
    zone = await ask(`${here}/state`);
    if (zone.notice_hash !== data.notice_hash) location.reload();
    draw();
  } catch (error) {
    if (error.code === "unauthorized") {
      if (step !== "pair") location.reload();
      return;
    }
  }
  setTimeout(poll, POLL);
}

function draw() {
  const off = !zone.armed;
  one("#off").hidden = !off || !data.can_agree;
  one("#renew_off").hidden = !off;
  for (const id of ["agree", "back", "renew"]) {
    one(`#${id}`).hidden = !data.can_agree;
    one(`#${id}`).setAttribute("aria-disabled", String(off));
  }
  one("#pass_camera").hidden = zone.cameras.length === 0;
  one("#look").hidden = zone.cameras.length === 0;
  const values = { camera: zone.cameras.join(", "), seconds: data.looks_seconds };
  one("#camera").textContent = word(zone.cameras.length ? "look_camera" : "look_no_camera", values);
  one("#tablet").hidden = !hasCamera();
  if (step === "rest" && (zone.people === 0 || zone.ask)) go("welcome");
  else if (step === "welcome" && zone.people > 0 && !zone.ask && !awake) go("rest");
  if (zone.people === 0 || zone.ask) awake = false;
}

let awake = false; // the person who was not to be asked again wants something all the same

// --- agreeing ------------------------------------------------------------------------------------------------------

onTap(one("#agree"), () => go(data.asks_age ? "age" : "look"));
onTap(one("#age_enough"), () => {
  age = "enough";
  agreed();
});
onTap(one("#age_under"), () => go("guardian"));
onTap(one("#guardian_agrees"), () => {
  age = "guardian";
  agreed();
});

/** Old enough, or with a guardian: look at who agrees for the first time; who was greeted is known already. */
function agreed() {
  if (greeted === null) go("look");
  else renew();
}

async function look(problem, photo) {
  one(problem).textContent = "";
  try {
    capture = await post("capture", photo === undefined ? who() : { ...who(), photo });
  } catch (error) {
    one(problem).textContent = told(error);
    return;
  }
  one("#crop").src = capture.crop;
  one("#alive").hidden = capture.alive === null || capture.alive >= 0.5;
  one("#confirm_problem").textContent = "";
  go("confirm");
}

onTap(one("#look"), async () => {
  one("#looking").textContent = word("looking");
  await look("#look_problem");
  one("#looking").textContent = "";
});

onTap(one("#tablet"), async () => {
  one("#picture").setAttribute("aria-disabled", "true");
  go("tablet");
  if (!(await openCamera(one("#preview")))) {
    go("look");
    one("#look_problem").textContent = word("tablet_no_camera");
  }
  one("#picture").removeAttribute("aria-disabled");
});
onTap(one("#picture"), async () => look("#tablet_problem", await picture(one("#preview"))));
onTap(one("#installed"), () => go("look"));
onTap(one("#again"), async () => {
  go("look");
  await post("cancel").catch(() => {});
});

onTap(one("#me"), async () => {
  try {
    receipt(await post("agree", { ...who(), capture: capture.capture }), "agreed");
  } catch (error) {
    one("#crop").removeAttribute("src");
    sorry(error);
  }
});

onTap(one("#decline"), async () => {
  try {
    receipt(await post("decline"), "declined");
  } catch (error) {
    sorry(error);
  }
});

function receipt(given, how) {
  one("#receipt_title").textContent = word(`${how}_title`, given);
  const until = given.expires_at ? when(given.expires_at, { time: false }) : "";
  one("#receipt_text").textContent = word(`${how}_text`, { ...given, until });
  one("#code").textContent = given.code;
  one("#code_qr").src = given.code_qr;
  one("#link").hidden = given.link === null;
  if (given.link !== null) one("#link_qr").src = given.link_qr;
  one("#how_to_end").textContent = word(given.link === null ? "end_here" : "end_link");
  go("receipt");
  leave();
}

/** Count down, then take it all off the screen. */
function leave() {
  let left = RECEIPT;
  const tick = () => {
    one("#leaves").textContent = word("leaves", { seconds: left });
    if (left <= 0) begin();
    left -= 1;
  };
  tick();
  leaving = setInterval(tick, 1000);
}

// --- coming back ---------------------------------------------------------------------------------------------------

onTap(one("#back"), async () => {
  go("returning");
  try {
    const { alias, ...more } = await post("back");
    if (alias === null) sorry(new Refused("not_known", ""));
    else greet({ alias, ...more, returning: true }, false);
  } catch (error) {
    sorry(error);
  }
});

onTap(one("#have_pass"), async () => {
  try {
    await post("pass");
  } catch (error) {
    sorry(error);
    return;
  }
  go("pass");
  one("#pass_code").focus();
  watchPass();
});

async function watchPass() {
  if (step !== "pass") return;
  try {
    const seen = await ask(`${here}/pass`);
    if (step !== "pass") return;
    if (seen.state === "read") {
      greet(seen, true);
      return;
    }
    if (seen.state === "unknown") one("#pass_problem").textContent = word("pass_unknown");
  } catch (error) {
    one("#pass_problem").textContent = told(error);
  }
  setTimeout(watchPass, PASS_POLL);
}

onTap(one("#pass_enter"), async () => {
  one("#pass_problem").textContent = "";
  try {
    const shown = await post("pass", { code: one("#pass_code").value });
    if (step === "pass") greet(shown, true);
  } catch (error) {
    const unknown = error.code === "not_found" || error.code === "invalid";
    one("#pass_problem").textContent = unknown ? word("pass_unknown") : told(error);
  }
});

/** Who is here: first ask them to agree again, if that is due. */
function greet(person, byPass) {
  if (!person.renew) {
    hello(person, byPass);
    return;
  }
  greeted = { person, byPass };
  const until = when(person.expires_at, { time: false });
  one("#renew_title").textContent = word("hello_title", person);
  one("#renew_text").textContent = word(`renew_${person.renew}`, { ...person, until });
  go("renew");
}

onTap(one("#renew"), () => (data.asks_age ? go("age") : renew()));
onTap(one("#renew_not"), () => hello(greeted.person, greeted.byPass));

async function renew() {
  const { person, byPass } = greeted;
  try {
    const given = await post("renew", who());
    hello(person, byPass);
    one("#hello_title").textContent = word("agreed_title", given);
    one("#hello_text").textContent = word("agreed_text", { ...given, until: when(given.expires_at, { time: false }) });
  } catch (error) {
    sorry(error);
  }
}

function hello(person, byPass) {
  greeted = null;
  one("#hello_title").textContent = word("hello_title", person);
  one("#hello_text").textContent = word(person.returning ? "hello_again" : "hello_first", person);
  one("#mine").hidden = !byPass;
  go("hello");
}

onTap(one("#mine"), async () => {
  try {
    const { token } = await post("mine");
    location.replace(`/me?lang=${language}&from=${data.zone}#${token}`);
  } catch (error) {
    one("#hello_problem").textContent = told(error);
  }
});

// --- pairing, and what all steps share -----------------------------------------------------------------------------

onTap(one("#pair"), async () => {
  try {
    await post("pair", { code: one("#pair_code").value });
    location.reload();
  } catch (error) {
    const wrong = error.code === "unauthorized" || error.code === "invalid";
    one("#pair_problem").textContent = wrong ? word("pair_wrong") : told(error);
  }
});

for (const button of document.querySelectorAll(".cancel")) onTap(button, giveUp);
for (const button of document.querySelectorAll(".done")) onTap(button, begin);
onTap(one("#wake"), () => {
  awake = true;
  go("welcome");
});
for (const [field, button] of [["#pair_code", "#pair"], ["#pass_code", "#pass_enter"]]) {
  one(field).addEventListener("keydown", (event) => {
    if (event.key === "Enter") one(button).click();
  });
}
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, touched);

one("#hash").textContent = data.notice_hash;
one("#end").textContent = word(data.reachable ? "end_text_link" : "end_text_here");
one("#ask").hidden = !data.can_agree;
if (data.paired) {
  poll().then(begin); // who has answered is not asked again, on a page just opened either
} else {
  go("pair");
}
