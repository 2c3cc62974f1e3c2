// A channel partner files referrals, sees what became of them, and appeals. The token came after the `#` of the link: it is
// kept for this tab alone, and leaves the address bar.
import { Refused, onTap, one, show, when, word } from "./frame.js";
import { Wire } from "./wire.js";

const KEPT = "partner";
const AT_ONCE = 30; // cards shown before somebody asks for more
const FIELD = /^(?:[a-z]+\/[a-z_]+: )?([a-z]+):/;
const FIELDS = new Set(["contact", "broker", "expected", "partner", "referral", "text", "csv", "declared"]);

let wire;
let claims = [];
let shown = AT_ONCE;

/** What the engine refused, in the reader's words. Its own are one line in English that begins with the field. */
function problem(err) {
  if (!(err instanceof Refused)) throw err;
  if (["unreachable", "rate_limited"].includes(err.code)) return word(err.code);
  return reason(err.message) ?? word("error");
}

function reason(message) {
  const field = FIELD.exec(message)?.[1];
  return FIELDS.has(field) ? word(`bad_${field}`) : undefined;
}

function say(selector, text, { bad = false } = {}) {
  const line = one(selector);
  line.textContent = text;
  line.classList.toggle("problem", bad);
}

/** Do `work`, and say in `selector` what came of it. → whether it was done. */
async function tried(selector, work) {
  say(selector, "");
  try {
    say(selector, await work());
    return true;
  } catch (err) {
    say(selector, problem(err), { bad: true });
    return false;
  }
}

function made(kind, text = "", properties = {}) {
  const element = Object.assign(document.createElement(kind), properties);
  element.textContent = text;
  return element;
}

// --- the list ------------------------------------------------------------------------------------------------------

async function refresh() {
  const found = await wire.call("claim/list");
  one("#name").textContent = found.name;
  claims = found.claims;
  draw();
}

function draw() {
  one("#claims").replaceChildren(...claims.slice(0, shown).map(card));
  one("#none").hidden = claims.length > 0;
  one("#more").hidden = claims.length <= shown;
}

function card(claim) {
  const item = made("li", "", { className: claim.outcome });
  item.append(made("h3", claim.broker ?? word("no_broker")));
  const outcome = claim.day
    ? word("outcome_given_on", { day: when(`${claim.day}T12:00`, { time: false }) })
    : word(`outcome_${claim.outcome}`);
  item.append(made("p", outcome, { className: "outcome" }));
  if (claim.appeal) item.append(made("p", word(`appeal_${claim.appeal}`)));
  const times = { declared: when(claim.declared_at), until: when(claim.valid_until) };
  item.append(made("p", word("declared", times), { className: "soft" }));
  item.append(made("p", word("reference", { id: claim.referral.slice(0, 8) }), { className: "soft" }));
  if (claim.outcome === "open") {
    item.append(asking(word("withdraw"), word("withdraw_really"), () => withdraw(claim)));
  } else if (["not_given", "declared_late"].includes(claim.outcome) && !claim.appeal) {
    const text = made("textarea", "", { maxLength: 2000, id: `text-${claim.referral}` });
    item.append(asking(word("appeal"), word("appeal_why"), () => appeal(claim, text), text));
  }
  return item;
}

/** A button that asks first, for a text or only whether somebody means it. */
function asking(label, question, work, text) {
  const box = made("div");
  const begin = made("button", label, { type: "button" });
  const form = made("div", "", { className: "asked", hidden: true });
  const yes = made("button", label, { type: "button", className: text ? "main" : "grave" });
  const no = made("button", word("cancel"), { type: "button" });
  const buttons = made("p", "", { className: "actions" });
  buttons.append(yes, no);
  form.append(text ? made("label", question, { htmlFor: text.id }) : made("p", question), ...(text ? [text] : []), buttons);
  const opened = (open) => {
    form.hidden = !open;
    begin.hidden = open;
    (open ? (text ?? yes) : begin).focus();
  };
  begin.addEventListener("click", () => opened(true));
  no.addEventListener("click", () => opened(false));
  onTap(yes, work);
  const first = made("p", "", { className: "actions" });
  first.append(begin);
  box.append(first, form);
  return box;
}

async function withdraw(claim) {
  await changed(async () => {
    await wire.call("referral/withdraw", { referral: claim.referral });
    return word("withdrawn");
  });
}

async function appeal(claim, text) {
  await changed(async () => {
    await wire.call("claim/appeal", { referral: claim.referral, text: text.value });
    return word("appealed");
  });
}

async function changed(work) {
  const done = await tried("#done", async () => {
    const said = await work();
    await refresh();
    return said;
  });
  if (done) one("#claims-heading").focus();
}

// --- filing --------------------------------------------------------------------------------------------------------

async function file() {
  const args = { contact: one("#contact").value.trim() };
  const broker = one("#broker").value.trim();
  const expected = one("#expected").value;
  if (broker) args.broker = broker;
  if (expected) args.expected = new Date(expected).toISOString();
  const done = await tried("#filed", async () => {
    const filed = await wire.call("referral/add", args);
    await refresh();
    return word("filed", { until: when(filed.valid_until) });
  });
  one("#contact").setAttribute("aria-invalid", String(!done));
  if (done) for (const field of ["#contact", "#expected"]) one(field).value = "";
  one("#contact").focus();
}

/** UTF-8, or what a Chinese spreadsheet program saves. */
async function textOf(chosen) {
  const bytes = await chosen.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("gb18030").decode(bytes);
  }
}

async function look() {
  one("#import").hidden = true;
  const [chosen] = one("#list").files;
  if (chosen === undefined) return;
  await tried("#checked", async () => {
    const csv = await textOf(chosen);
    const found = await wire.call("referral/import", { csv, dry_run: true });
    one("#import").hidden = found.bad.length > 0;
    one("#import").onclick = () => fileAll(csv);
    if (found.bad.length === 0) return word("rows_good", { rows: found.rows });
    setTimeout(() => one("#checked").append(badRows(found.bad)));
    return word("rows_bad", { rows: found.rows, bad: found.bad.length });
  });
}

function badRows(bad) {
  const list = made("ul");
  list.append(...bad.map((row) => made("li", word("row", { line: row.line, reason: reason(row.reason) ?? word("bad_row") }))));
  return list;
}

async function fileAll(csv) {
  one("#import").hidden = true;
  await tried("#checked", async () => {
    const found = await wire.call("referral/import", { csv });
    await refresh();
    one("#list").value = "";
    return word("rows_filed", { rows: found.filed });
  });
}

// --- the link ------------------------------------------------------------------------------------------------------

function token() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEPT);
}

function ended() {
  sessionStorage.removeItem(KEPT);
  show("ended");
}

async function told(what) {
  if (what === "ended") return ended();
  one("#lost").hidden = what === "open";
  if (what === "open") {
    if (one('[data-step="desk"]').hidden) show("desk");
    await lookAgain();
  }
}

/** Show what there is now, unless somebody is in the middle of answering a question. */
async function lookAgain() {
  if (document.querySelector("#claims .asked:not([hidden])")) return;
  await tried("#done", async () => {
    await refresh();
    return "";
  });
}

function begin() {
  const mine = token();
  if (!mine) return ended();
  wire = new Wire(mine, told);
  onTap(one("#file"), file);
  for (const field of ["#contact", "#broker", "#expected"]) {
    one(field).addEventListener("keydown", (event) => {
      if (event.key === "Enter") one("#file").click();
    });
  }
  one("#list").addEventListener("change", look);
  one("#more").addEventListener("click", () => {
    shown += AT_ONCE;
    draw();
  });
}

// Whoever comes back to the page sees what was decided meanwhile.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && wire !== undefined && one("#lost").hidden) lookAgain();
});
// Another link opened in the same tab changes nothing but what stands after the `#`.
addEventListener("hashchange", () => {
  if (location.hash.length > 1) location.reload();
});
begin();
