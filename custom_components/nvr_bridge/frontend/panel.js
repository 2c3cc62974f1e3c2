// NVR Bridge's page in the hub's sidebar: the evening review, and what whoever answers for the data looks at.

import { CamerasView } from "./cameras.js";
import { DeskView } from "./desk.js";
import { choice, fill, h, svg, within } from "./dom.js";
import { call, engines, shown, users } from "./hub.js";
import { KeeperView } from "./keeper.js";
import { ReviewView } from "./review.js";
import sheet from "./style.js";
import { VisitsView } from "./visits.js";
import { Words } from "./words.js";

const VIEWS = { review: ReviewView, visits: VisitsView, keeper: KeeperView, cameras: CamerasView, desk: DeskView };
const PAUSE = 2000; // milliseconds between two looks at what changed
const MENU = "M3,6H21V8H3V6M3,11H21V13H3V11M3,16H21V18H3V16Z";

/** The hub gives it `hass`, `narrow` and `route`; everything else it asks for. */
class NvrBridgePanel extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this._views = {};
    this._engines = [];
    this._shown = new Set();
    this._news = true; // whether something happened that may be in the lists
    this._path = [];
    this._problem = null;
    this._chosen = null;
    this._partners = new Map();
    this._toast = h("div", { class: "toast", role: "status", "aria-live": "polite" });
  }

  set hass(hass) {
    const language = this.hass?.language;
    this._hass = hass;
    this.style.setProperty("--nvr-scheme", hass.themes?.darkMode ? "dark" : "light");
    if (language !== hass.language) this._begin();
    const now = shown(hass);
    const changed = now.filter((state) => !this._shown.has(state));
    if (changed.length || now.length !== this._shown.size) {
      this._shown = new Set(now);
      this._news ||= changed.some((state) => state?.entity_id.startsWith("event."));
      this._look();
    }
  }

  get hass() {
    return this._hass;
  }

  set narrow(narrow) {
    this.toggleAttribute("narrow", narrow);
    if (this._hass) this._show();
  }

  set route(route) {
    this._path = route.path.split("/").filter(Boolean).map(decodeURIComponent);
    this._show();
  }

  connectedCallback() {
    this._seen = () => document.hidden || this._look();
    document.addEventListener("visibilitychange", this._seen);
    this._look();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this._seen);
    clearTimeout(this._timer);
    this._timer = undefined;
  }

  // --- what the views use ---

  /** The engine that is looked at; undefined while there is none. */
  get engine() {
    return this._engines.find((engine) => engine.entry_id === this._chosen) ?? this._engines[0];
  }

  /** Things of one kind that the engine has, as it says them: `site`, `zone`, `camera`. */
  things(kind) {
    const all = Object.entries(this.engine?.things ?? {});
    return all.filter(([topic]) => topic.split("_")[0] === kind).map(([, state]) => state);
  }

  /** The parts of the address after the view's own. */
  get rest() {
    return this._path.slice(1);
  }

  /** Run a command on the engine that is looked at → its result. Throws `Refused`. */
  async call(command, given) {
    return await call(this.hass, this.engine?.entry_id, command, given);
  }

  /** Do something that may be refused; what is refused is told in words. → whether it was done. */
  async attempt(work, done) {
    try {
      await work();
    } catch (error) {
      this.tell(this.told(error));
      return false;
    }
    if (done) this.tell(done);
    return true;
  }

  /** A refusal in words. */
  told(error) {
    const kind = this.words.name("error", error.code);
    return this.words.chinese || !error.message ? this.words.say("refused", { kind, why: error.message }) : error.message;
  }

  /** Say something to whoever reads or listens. */
  tell(text) {
    this._toast.textContent = text;
    clearTimeout(this._telling);
    this._telling = setTimeout(() => (this._toast.textContent = ""), 8000);
  }

  /** Ask for the partners, once unless `again`. Their names are a help: without them their ids are shown. */
  async partners({ again = false } = {}) {
    const entryId = this.engine?.entry_id;
    if (this._partners.has(entryId) && !again) return;
    try {
      this._partners.set(entryId, await this.call("partner/list"));
    } catch (error) {
      if (again) throw error;
    }
  }

  /** The partners as far as they were asked for. */
  partnersNow() {
    return this._partners.get(this.engine?.entry_id) ?? [];
  }

  /** What a partner is called. */
  partner(id) {
    return this.partnersNow().find((one) => one.partner === id)?.name ?? id;
  }

  /** What a verdict says, in words. */
  answer({ attribution, partner }) {
    if (!attribution) return this.words.say("no_verdict");
    return partner ? this.words.say("by_partner", { partner: this.partner(partner) }) : this.words.name("attribution", attribution);
  }

  /** Who a hub's user is. */
  user(id) {
    return this._users?.get(id);
  }

  /** Go to another part of the page; the browser's own way back leads here. */
  go(...parts) {
    history.pushState(null, "", ["/nvr_bridge", ...parts.map(encodeURIComponent)].join("/"));
    window.dispatchEvent(new CustomEvent("location-changed"));
  }

  // --- the frame ---

  _begin() {
    this.words = new Words(this.hass);
    this._views = {};
    this._view = undefined;
    this._banner = h("p", { class: "note bad", role: "status", hidden: true }, this.words.say("not_connected"));
    this._tabs = h("div", { role: "tablist", "aria-label": this.words.say("title"), onkeydown: (event) => this._keys(event) });
    this._picker = h("span");
    this._page = h("div");
    this._main = h("main", { class: "stack" }, this._banner, this._page);
    this._root = h("div", { lang: this.words.language, class: "frame" });
    const toggle = () => this.dispatchEvent(new CustomEvent("hass-toggle-menu", { bubbles: true, composed: true }));
    this._menu = h("button", { class: "icon", type: "button", "aria-label": this.words.say("menu"), onclick: toggle }, icon(MENU));
    this._root.append(
      h(
        "header",
        {},
        this._menu,
        h("h1", {}, this.words.say("title")),
        this._picker,
      ),
      this._tabs,
      this._main,
      this._toast,
    );
    this.shadowRoot.replaceChildren(this._root);
    this._show();
    this._look();
  }

  /** Ask again for what changed, now or when the last look is long enough ago; not while nobody sees it. */
  _look() {
    if (!this._hass || !this.isConnected || document.hidden || this._timer !== undefined) return;
    const wait = Math.max(0, PAUSE - (performance.now() - (this._looked ?? -PAUSE)));
    this._timer = setTimeout(async () => {
      this._looked = performance.now();
      try {
        this._engines = await engines(this.hass);
        this._users ??= await users(this.hass);
        this._problem = null;
      } catch (error) {
        this._problem = error;
      }
      this._timer = undefined;
      this._show();
      if (this._news) await this._refresh();
    }, wait);
  }

  _show() {
    if (!this.words) return;
    const name = this._path[0] in VIEWS ? this._path[0] : "review";
    fill(
      this._tabs,
      Object.keys(VIEWS).map((key) =>
        h(
          "button",
          {
            role: "tab",
            type: "button",
            id: `tab-${key}`,
            "data-key": key,
            "aria-selected": String(key === name),
            "aria-controls": "view",
            tabindex: key === name ? 0 : -1,
            onclick: () => this.go(key),
          },
          this.words.say(`tab.${key}`),
        ),
      ),
    );
    reveal(within(this._tabs, name), this._tabs);
    this._menu.hidden = !this.hasAttribute("narrow") && this.hass.dockedSidebar !== "always_hidden";
    const titles = this._engines.map((engine) => [engine.entry_id, engine.title]);
    fill(
      this._picker,
      titles.length > 1 &&
        choice("engine", titles, {
          value: this.engine.entry_id,
          "aria-label": this.words.say("engine"),
          "data-key": "engine",
          onchange: (event) => this._pick(event.target.value),
        }),
    );
    const notice = this._notice();
    this._banner.hidden = !this.engine || this.engine.connected;
    if (notice) {
      this._view = undefined;
      fill(this._page, h("div", { class: "card", id: "view", role: "tabpanel", "aria-labelledby": `tab-${name}` }, notice));
      return;
    }
    const isNew = this._view !== (this._views[name] ??= new VIEWS[name](this));
    this._view = this._views[name];
    if (isNew) {
      this._view.element.id = "view";
      this._view.element.setAttribute("role", "tabpanel");
      this._view.element.setAttribute("aria-labelledby", `tab-${name}`);
      this._page.replaceChildren(this._view.element);
      this._refresh();
    }
    this._view.show();
  }

  /** Let the view ask again for what it shows. Without a connection the last that was known stays. */
  async _refresh() {
    if (!this.engine?.connected) return;
    this._news = false;
    await this._view?.look?.();
  }

  /** Why there is nothing to show. */
  _notice() {
    if (this._problem) return h("p", {}, this.words.say("hub_problem"));
    if (!this._looked || (!this.engine && this._timer !== undefined)) return h("p", {}, this.words.say("loading"));
    if (!this.engine) return h("p", {}, this.words.say("no_engine"));
    return null;
  }

  _pick(entryId) {
    this._chosen = entryId;
    this._views = {};
    this._view = undefined;
    this.go(this._path[0] ?? "review");
    this._show();
  }

  /** Arrows go from tab to tab, as in every list of tabs. */
  _keys(event) {
    const keys = Object.keys(VIEWS);
    const at = keys.indexOf(event.target.dataset.key);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: keys.length - 1 }[event.key];
    if (next === undefined || at < 0) return;
    event.preventDefault();
    const key = keys.at(next % keys.length);
    this.go(key);
    within(this._tabs, key)?.focus();
  }
}

/** Bring a tab into the view of a row that is too narrow for all. The page itself stays where it is. */
function reveal(tab, row) {
  const [its, all] = [tab.getBoundingClientRect(), row.getBoundingClientRect()];
  row.scrollLeft += Math.max(0, its.right - all.right) - Math.max(0, all.left - its.left);
}

function icon(path) {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: path }));
}

// A restart of the hub gives this module another address, and a page that stayed open loads it a second time.
if (!customElements.get("nvr-bridge-panel")) customElements.define("nvr-bridge-panel", NvrBridgePanel);
