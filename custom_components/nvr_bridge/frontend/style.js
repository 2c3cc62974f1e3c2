// How the panel looks: the hub's own theme, dark or light, whatever it is. No text is told by its colour alone.

const css = `
:host {
  --ink: var(--primary-text-color, #141414);
  --quiet: color-mix(in srgb, var(--primary-text-color, #141414) 72%, var(--card, #fff));
  --page: var(--primary-background-color, #fafafa);
  --card: var(--ha-card-background, var(--card-background-color, #fff));
  --line: color-mix(in srgb, var(--ink) 18%, transparent);
  --edge: color-mix(in srgb, var(--ink) 55%, var(--card));
  --accent: color-mix(in srgb, var(--primary-color, #03a9f4) 62%, #000);
  --on-accent: #fff;
  --natural: #2e9e5b;
  --channel: #3f7fd6;
  --staff: #8a8f98;
  --undetermined: #d98a00;
  --bad: var(--error-color, #db4437);
  --warn: var(--warning-color, #ffa600);
  --good: var(--success-color, #43a047);
  display: flex;
  flex-direction: column;
  min-height: 100vh;
  min-height: 100dvh;
  box-sizing: border-box;
  background: var(--page);
  color: var(--ink);
  font: 14px/1.5 var(--ha-font-family-body, var(--paper-font-body1_-_font-family, Roboto, "Noto Sans SC", sans-serif));
}
*, *::before, *::after { box-sizing: border-box; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: 20px; font-weight: 400; }
h2 { font-size: 18px; font-weight: 500; line-height: 1.3; }
h3 { font-size: 14px; font-weight: 500; color: var(--quiet); }
h2:focus-visible { outline: none; }
:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
[hidden] { display: none !important; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

header {
  display: flex; align-items: center; gap: 8px; min-height: var(--header-height, 56px); padding: 0 16px;
  background: var(--sidebar-background-color, var(--card)); border-bottom: 1px solid var(--line);
  position: sticky; top: 0; z-index: 2;
}
header h1 { flex: 1; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
header select { max-width: 45vw; width: auto; }
.icon {
  width: 44px; height: 44px; padding: 10px; border: 0; border-radius: 50%; background: none; color: inherit; cursor: pointer; flex: none;
}
.icon svg { width: 24px; height: 24px; fill: currentColor; display: block; }
.icon:hover { background: color-mix(in srgb, var(--ink) 10%, transparent); }

[role="tablist"] {
  display: flex; overflow-x: auto; padding: 0 8px; background: var(--sidebar-background-color, var(--card));
  border-bottom: 1px solid var(--line); scrollbar-width: none;
}
[role="tab"] {
  flex: none; padding: 12px 14px; border: 0; border-bottom: 3px solid transparent; background: none; color: var(--quiet);
  font: inherit; font-weight: 500; cursor: pointer;
}
[role="tab"][aria-selected="true"] { color: var(--ink); border-bottom-color: var(--primary-color, #03a9f4); }
[role="tab"]:focus-visible { outline-offset: -3px; }
main { flex: 1; padding: 16px; width: 100%; max-width: 1240px; margin: 0 auto; }
[role="tabpanel"]:focus-visible { outline: none; }

.card {
  background: var(--card); border: var(--ha-card-border-width, 1px) solid var(--ha-card-border-color, var(--line));
  border-radius: var(--ha-card-border-radius, 12px); padding: 16px; min-width: 0;
}
.stack { display: grid; gap: 16px; align-content: start; min-width: 0; }
.tight { gap: 6px; }
.tiles { display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 270px), 1fr)); }
.tiles.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 210px), 1fr)); }
.row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.between { justify-content: space-between; }
.quiet, .hint { color: var(--quiet); }
.hint { font-size: 13px; }
.big { font-size: 28px; font-weight: 400; line-height: 1.2; }
.code { font-family: var(--ha-font-family-code, monospace); letter-spacing: .02em; }

button.act, a.act {
  position: relative; min-height: 44px; padding: 8px 16px; border: 1px solid var(--edge); border-radius: 10px; background: none; color: var(--ink);
  font: inherit; font-weight: 500; cursor: pointer; text-decoration: none; display: inline-flex; align-items: center;
}
button.act:hover { background: color-mix(in srgb, var(--ink) 8%, transparent); }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.main:hover { background: color-mix(in srgb, var(--accent) 85%, #000); }
button:disabled { opacity: .5; cursor: default; }

.field { display: grid; gap: 4px; min-width: 0; }
.field label { font-weight: 500; }
input, select, textarea {
  font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 9px 10px;
  min-height: 44px; width: 100%; color-scheme: var(--nvr-scheme, light);
}
input::placeholder, textarea::placeholder { color: var(--quiet); opacity: 1; }
select option { color: var(--ink); background: var(--card); }
textarea { min-height: 76px; resize: vertical; }
input[type="checkbox"] { width: 20px; min-height: 20px; height: 20px; accent-color: var(--accent); }
input[type="date"] { width: auto; }
label.check { display: inline-flex; gap: 8px; align-items: center; min-height: 44px; }
form { display: grid; gap: 12px; }
.pair { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 200px), 1fr)); }

.review { display: grid; gap: 16px; grid-template-columns: minmax(300px, 380px) minmax(0, 1fr); align-items: start; }
.review > .list { position: sticky; top: calc(var(--header-height, 56px) + 16px); max-height: calc(100vh - 150px); overflow-y: auto; padding: 0; }
.list h3 { padding: 12px 16px 4px; }
.list li { border-top: 1px solid var(--line); }
.list h3 + ul li:first-child { border-top: 0; }
.case {
  display: grid; gap: 2px; width: 100%; padding: 12px 16px; border: 0; border-left: 4px solid transparent; background: none; color: inherit;
  font: inherit; text-align: start; cursor: pointer;
}
.case:hover { background: color-mix(in srgb, var(--ink) 6%, transparent); }
.case:focus-visible { outline-offset: -3px; }
.case[aria-current="true"] { background: color-mix(in srgb, var(--primary-color, #03a9f4) 16%, transparent); border-left-color: var(--primary-color, #03a9f4); }
.case b { font-weight: 500; }

.dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; flex: none; background: var(--staff); }
.dot.natural { background: var(--natural); }
.dot.channel { background: var(--channel); }
.dot.undetermined { background: var(--undetermined); }
.chip {
  display: inline-flex; gap: 6px; align-items: center; padding: 2px 10px; border-radius: 999px; font-size: 13px; font-weight: 500;
  border: 1px solid var(--edge); background: var(--card); color: var(--ink);
}
.chip.bad { border-color: var(--bad); background: color-mix(in srgb, var(--bad) 14%, var(--card)); }
.chip.warn { border-color: var(--warn); background: color-mix(in srgb, var(--warn) 16%, var(--card)); }
.chip.good { border-color: var(--good); background: color-mix(in srgb, var(--good) 14%, var(--card)); }
.note { border-left: 4px solid var(--edge); padding: 8px 12px; background: color-mix(in srgb, var(--ink) 5%, transparent); border-radius: 4px; }
.note.bad { border-left-color: var(--bad); }
.note.warn { border-left-color: var(--warn); }

dl.facts { display: grid; grid-template-columns: minmax(110px, max-content) minmax(0, 1fr); gap: 4px 16px; }
dl.facts dt { color: var(--quiet); }
dl.facts dd { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; padding: 6px 8px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 500; color: var(--quiet); }
td { white-space: nowrap; }
td.words { white-space: normal; min-width: 12em; }
td.count, th.count { text-align: end; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
summary { cursor: pointer; min-height: 44px; display: flex; align-items: center; font-weight: 500; }
summary::before { content: "▸"; width: 1.2em; }
details[open] > summary::before { content: "▾"; }
ol.steps > li { padding: 6px 0; border-top: 1px solid var(--line); }
ol.steps > li:first-child { border-top: 0; }
pre { margin: 0; overflow-x: auto; font-size: 12px; white-space: pre-wrap; overflow-wrap: anywhere; }

svg.plot { display: block; width: 100%; overflow: visible; }
svg.plot text { fill: var(--quiet); font-size: 12px; }
svg.plot .axis { stroke: var(--line); }
svg.plot .arrival { stroke: var(--ink); stroke-dasharray: 2 3; }
svg.plot .bound { stroke: var(--undetermined); stroke-dasharray: 5 4; }
svg.plot .stay { fill: color-mix(in srgb, var(--ink) 14%, transparent); }
svg.plot .error { stroke: var(--ink); stroke-width: 2; fill: none; }
svg.plot .mark { fill: var(--ink); stroke: var(--card); stroke-width: 1.5; }
svg.plot .mark.referral { fill: var(--channel); }
svg.plot .mark.doubtful { fill: var(--card); stroke: var(--undetermined); stroke-width: 2.5; }
svg.plot .name { fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 5px; }
svg.plot .natural { fill: var(--natural); }
svg.plot .channel { fill: var(--channel); }
svg.plot .staff { fill: var(--staff); }
svg.plot .undetermined { fill: var(--undetermined); }

.toast {
  position: fixed; bottom: 16px; left: 50%; transform: translateX(-50%); z-index: 5; max-width: min(92vw, 560px); padding: 12px 16px;
  border-radius: 10px; background: var(--ink); color: var(--page); box-shadow: 0 4px 16px rgb(0 0 0 / 35%);
}
.toast:empty { display: none; }

:host([narrow]) main { padding: 12px; }
:host([narrow]) .tiles.small { grid-template-columns: 1fr 1fr; gap: 8px; }
:host([narrow]) .tiles.small .card { padding: 12px; }
:host([narrow]) .big { font-size: 20px; }
:host([narrow]) .review { grid-template-columns: minmax(0, 1fr); }
:host([narrow]) .review > .list { position: static; max-height: none; }
:host([narrow]) .review.chosen > .list, :host([narrow]) .review:not(.chosen) > .detail { display: none; }
:host(:not([narrow])) .back { display: none; }
@media (prefers-reduced-motion: no-preference) { .case, button { transition: background-color .12s; } }
`;

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

export default sheet;
