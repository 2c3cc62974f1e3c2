// A screen that shows this page for weeks must never show yesterday's notice: it asks, and says when it cannot.
import { ask, data, one } from "./frame.js";

const EVERY = 5000;

async function look() {
  const path = `${location.pathname.replace(/\/$/, "")}/state`;
  try {
    const { notice_hash } = await ask(path);
    if (notice_hash !== data.notice_hash) location.reload();
    one("#stale").hidden = true;
  } catch {
    one("#stale").hidden = false;
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
