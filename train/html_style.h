// How report.html looks.
#pragma once

namespace eigengrad::train {

inline constexpr const char* kReportStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --ink: #1b2330; --soft: #5c6878; --line: #e2e6ec; --wash: #f0f3f7;
  --first: #93a1b5; --second: #2563eb; --warm: #d9480f; --good: #12805c; --bad: #c92a2a; --mark: #12805c;
  --shadow: 0 1px 2px rgb(16 24 40 / 6%), 0 1px 6px rgb(16 24 40 / 4%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1218; --card: #161c25; --ink: #e7ebf1; --soft: #98a5b6; --line: #29323e; --wash: #1d2530;
    --first: #74839a; --second: #74a5ff; --warm: #ff8f5a; --good: #4cc79a; --bad: #ff8080; --mark: #4cc79a;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 36px 0 12px; letter-spacing: -.005em; }
h3 { font-size: 14px; margin: 0 0 6px; }
p { margin: 6px 0; }
.soft { color: var(--soft); }
.kicker { color: var(--soft); font-size: 12px; letter-spacing: .08em; text-transform: uppercase; margin: 0 0 4px; }
.title { display: flex; flex-wrap: wrap; gap: 6px 14px; align-items: center; }
.pill { font-size: 12px; font-weight: 600; border-radius: 99px; padding: 3px 11px; color: var(--good);
  background: color-mix(in srgb, var(--good) 13%, transparent); white-space: nowrap; }
.pill.bad { color: var(--bad); background: color-mix(in srgb, var(--bad) 14%, transparent); }
.pill.now { color: var(--second); background: color-mix(in srgb, var(--second) 14%, transparent); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px;
  box-shadow: var(--shadow); min-width: 0; }
.note { border-left: 3px solid var(--warm); border-radius: 6px; padding: 10px 14px; margin: 12px 0;
  background: var(--card); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(var(--n), 1fr); gap: 12px; margin: 20px 0 0; }
@media (max-width: 860px) { .tiles { grid-template-columns: repeat(auto-fit, minmax(148px, 1fr)); } }
.tile { padding: 13px 16px; }
.tile b { display: block; font-size: 22px; line-height: 1.25; font-weight: 650; letter-spacing: -.01em;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile span { display: block; color: var(--soft); font-size: 12.5px; line-height: 1.35; margin-top: 3px; }
.tile.main b { color: var(--second); font-size: 30px; line-height: 1.1; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: 14px; }
.grid.pair { grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); align-items: start; }
.scroll { overflow-x: auto; }
.below { margin-top: 14px; }
.tall { max-height: 640px; overflow-y: auto; }
svg.plot { width: 100%; height: auto; display: block; font-family: inherit; }
svg.plot text { fill: var(--soft); }
svg.plot .paper { fill: transparent; }
svg.plot .grid { stroke: var(--line); }
svg.plot .line { stroke-linejoin: round; stroke-linecap: round; }
svg.plot .line.s0 { stroke: var(--first); } svg.plot .area.s0 { fill: var(--first); }
svg.plot .line.s1 { stroke: var(--second); } svg.plot .area.s1 { fill: var(--second); }
.single svg.plot .line.s0 { stroke: var(--second); } .single svg.plot .area.s0 { fill: var(--second); }
svg.plot path.mark, svg.plot circle.mark { stroke: var(--mark); }
svg.plot .mark { fill: none; }
svg.plot .hint:hover { fill: color-mix(in srgb, var(--second) 30%, transparent); }
svg.matrix { width: 100%; max-width: 560px; height: auto; display: block; margin: 0 auto; font-family: inherit; }
svg.matrix text { fill: var(--soft); } svg.matrix .count { fill: var(--ink); } svg.matrix .count.on { fill: var(--card); }
svg.matrix .hit { fill: var(--second); } svg.matrix .miss { fill: var(--warm); } svg.matrix .ground { fill: var(--wash); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: 12px; padding: 5px 10px 5px 0;
  border-bottom: 1px solid var(--line); white-space: nowrap; }
td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
tr:last-child td { border-bottom: 0; }
th.n, td.n { text-align: right; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
.bar { display: inline-block; vertical-align: middle; width: 72px; height: 7px; border-radius: 4px;
  background: var(--wash); overflow: hidden; margin-left: 8px; }
.bar i { display: block; height: 100%; background: var(--second); border-radius: 4px; }
.bar i + i { background: var(--first); }
.bar.two { display: inline-flex; width: 120px; } .bar.two i { border-radius: 0; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; background: var(--second);
  margin: 0 4px 0 10px; vertical-align: -1px; } .key.b { background: var(--first); }
b.weak { color: var(--warm); }
.type { color: var(--soft); }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 12px; }
.sheet figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  overflow: hidden; break-inside: avoid; }
.sheet img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: #000;
  image-rendering: pixelated; }
.sheet figcaption { padding: 6px 8px 7px; font-size: 12px; line-height: 1.4; overflow-wrap: anywhere; }
.sheet b.wrong { color: var(--warm); } .sheet b.right { color: var(--good); }
.text { font: 14px/1.9 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; margin: 0; }
.text span { border-radius: 3px; padding: 1px 0; background: color-mix(in srgb, var(--second) var(--p), transparent); }
.text span.x { background: color-mix(in srgb, var(--warm) var(--p), transparent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 16px; margin: 0; font-size: 14px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; font: 12.5px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-x: auto; }
pre .k { color: var(--second); } pre .s { color: var(--good); } pre .v { color: var(--warm); }
details > summary { cursor: pointer; color: var(--soft); font-size: 13.5px; }
details[open] > summary { margin-bottom: 10px; }
footer { color: var(--soft); font-size: 12.5px; margin-top: 36px; }
@media (max-width: 560px) {
  main { padding: 18px 12px 32px; }
  .card { padding: 12px; border-radius: 10px; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: 8px; } .tile.main { grid-column: 1 / -1; }
  .sheet { grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); gap: 8px; }
  .wide { display: none; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc; --wash: #f0f0f0; --first: #8a94a3;
    --second: #1d4fd8; --warm: #c2410c; --good: #0b6b4c; --mark: #0b6b4c; --shadow: none; }
  body { font-size: 12px; } main { max-width: none; padding: 0; }
  .tall { max-height: none; } .below { display: none; }
  .grid:not(.pair) { grid-template-columns: 1fr 1fr; } .sheet { grid-template-columns: repeat(9, 1fr); gap: 6px; }
  .sheet figcaption { font-size: 8px; padding: 3px 4px; } pre { font-size: 9px; white-space: pre-wrap; }
  .card, .tile, tr { break-inside: avoid; } h2 { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace eigengrad::train
