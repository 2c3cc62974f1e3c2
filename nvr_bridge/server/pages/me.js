// The visitor's own page. What stands after the `#` is theirs alone: it is sent to the engine as a header and nowhere else.
import { ask, data, has, one, onTap, show, when, word } from "./frame.js";

const IDLE = 60_000; // milliseconds after which a shared tablet leaves this page

const token = location.hash.slice(1);
const from = new URLSearchParams(location.search).get("from"); // the zone of the tablet that this was opened on
const tablet = from !== null && /^[\w-]{1,63}$/.test(from);
let kept = null;
let receipt = null;

async function read() {
  show("wait");
  try {
    kept = await ask("/me/data", undefined, { token });
  } catch (error) {
    refused(error);
    return;
  }
  draw();
  show("kept");
}

function refused(error) {
  kept = null;
  if (error.code === "unauthorized") {
    show("nothing");
    return;
  }
  one("#problem").textContent = word({ unreachable: "unreachable", rate_limited: "too_often" }[error.code] ?? "error");
  show("problem");
}

function draw() {
  one("#name").textContent = word("name", kept);
  const consents = kept.consents ?? [];
  one("#agreed").replaceChildren(
    consents.length
      ? table(["agreed_when", "agreed_until", "agreed_why", "agreed_language"], consents, (consent) => [
          when(consent.granted_at),
          when(consent.expires_at, { time: false }),
          consent.purpose + (consent.guardian ? ` (${word("agreed_guardian")})` : ""),
          consent.language,
        ])
      : text(word("agreed_nothing")),
  );
  const faces = (kept.templates ?? []).length;
  one("#face").textContent = word(faces ? "face_kept" : "face_nothing", { count: faces });
  one("#visits").replaceChildren(
    table(["visit_from", "visit_to", "where", "visit_found"], kept.visits ?? [], (visit) => [
      when(visit.started_at),
      when(visit.ended_at ?? visit.last_at),
      visit.zone_id,
      visit.attribution ? word(`found_${visit.attribution}`, visit) : "",
    ]),
  );
  one("#reviews").replaceChildren(
    table(["when", "what", "review_reason"], kept.reviews ?? [], (review) => [
      when(review.at),
      [word(`review_${review.act}`), review.attribution ? word(`found_${review.attribution}`, review) : ""]
        .filter(Boolean)
        .join(": "),
      review.reason ?? "",
    ]),
  );
  const shown = [
    ...(kept.passes ?? []).map((row) => [row.issued_at, word("pass_issued"), ""]),
    ...(kept.pass_scans ?? []).map((row) => [row.at, word("pass_shown"), row.zone_id]),
    ...(kept.check_ins ?? []).map((row) => [row.at, word("check_in"), row.zone_id]),
    ...(kept.signings ?? []).map((row) => [row.at, word("signing"), row.zone_id]),
    ...(kept.sightings ?? []).map((row) => [row.at, word("seen"), row.zone_id]),
    ...(kept.links ?? []).map((row) => [row.issued_at, word("link_issued"), ""]),
  ].sort();
  one("#shown").replaceChildren(
    table(["when", "what", "where"], shown, ([at, what, where]) => [when(at), what, where]),
  );
  one("#acts").replaceChildren(
    table(["when", "what", "where"], kept.acts, (act) => [
      when(act.at),
      has(`act_${act.act}`) ? word(`act_${act.act}`) : act.act.replaceAll("_", " "),
      act.zone_id ?? "",
    ]),
  );
}

function table(headings, rows, cells) {
  if (!rows.length) return text(word("none"));
  const made = document.createElement("table");
  const head = made.createTHead().insertRow();
  for (const heading of headings) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = word(heading);
    head.append(cell);
  }
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const said of cells(row)) line.insertCell().textContent = said;
  }
  const around = document.createElement("div");
  around.className = "table";
  around.append(made);
  return around;
}

function text(said) {
  const made = document.createElement("p");
  made.textContent = said;
  return made;
}

onTap(one("#retry"), read);
function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

onTap(one("#download"), () => save(kept, "what-is-kept.json"));
onTap(one("#receipt"), () => save(receipt, "erasure-receipt.json"));

onTap(one("#withdraw"), async () => {
  try {
    ({ receipt } = await ask("/me/withdraw", {}, { token }));
  } catch (error) {
    if (error.code === "unauthorized") refused(error);
    else one("#withdraw_problem").textContent = word(error.code === "unreachable" ? "unreachable" : "error");
    return;
  }
  kept = null;
  for (const id of ["name", "agreed", "face", "visits", "shown", "acts"]) one(`#${id}`).replaceChildren();
  for (const id of ["receipt", "receipt_text"]) one(`#${id}`).hidden = !receipt;
  show("erased");
});

function leave() {
  location.replace(`/visit/${from}?lang=${data.language}`);
}

if (tablet) {
  for (const element of document.querySelectorAll(".from")) element.hidden = false;
  for (const button of document.querySelectorAll(".leave")) onTap(button, leave);
  let idle = setTimeout(leave, IDLE);
  for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, () => {
      clearTimeout(idle);
      idle = setTimeout(leave, IDLE);
    });
  }
}
read();
