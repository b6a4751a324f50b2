// The look of the HTML page.
#pragma once

namespace vesalius::results {

/// CSS of a page: colours as variables, light and dark, print.
inline constexpr const char* kPageStyle = R"css(
:root{color-scheme:light dark;
--paper:#f4f6f8;--card:#fff;--ink:#15202b;--soft:#55636f;--line:#dfe5ea;--accent:#0b6e75;
--accent-soft:#d8ecec;
--rest:#8fa3af;--track:#e9eef1;--warn:#7a4b00;--warn-back:#fff3d6;--bad:#8c1d18;
--bad-back:#fde8e6;--film:#000}
@media(prefers-color-scheme:dark){:root{
--paper:#0e1419;--card:#172027;--ink:#e8eef2;--soft:#9fb0bb;--line:#27343d;--accent:#4cc3c7;
--accent-soft:#123b3e;
--rest:#5f7683;--track:#22303a;--warn:#ffd58a;--warn-back:#3a2c10;--bad:#ffb4ab;
--bad-back:#3d1815;--film:#000}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums}
header,main,footer{max-width:1120px;margin:0 auto;padding:0 24px}
header{padding-top:32px;padding-bottom:8px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
header p{margin:0;color:var(--soft)}
.notice{margin:16px 0 8px;padding:10px 14px;border-radius:8px;background:var(--warn-back);
color:var(--warn);
font-weight:600}
.case{display:grid;grid-template-columns:240px minmax(0,1fr);gap:24px;background:var(--card);
border:1px solid var(--line);border-radius:14px;padding:20px;margin:16px 0;break-inside:avoid}
.case.words{grid-template-columns:minmax(0,1fr)}
.film{background:var(--film);border-radius:10px;overflow:hidden;aspect-ratio:1;display:flex;
align-items:center;
justify-content:center}
.film img{width:100%;height:100%;object-fit:contain;display:block}
.gap{color:#9aa7b0;font-size:13px;padding:8px;text-align:center}
h2{font-size:18px;line-height:1.3;margin:0;overflow-wrap:anywhere}
.where{color:var(--soft);font-size:13px;overflow-wrap:anywhere;margin:2px 0 0}
.tags{display:flex;flex-wrap:wrap;gap:6px;margin:10px 0 0;padding:0;list-style:none}
.tags li{font-size:12px;font-weight:600;padding:2px 10px;border-radius:99px;
background:var(--accent-soft);
color:var(--accent)}
.warning{margin:10px 0 0;padding:6px 12px;border-radius:8px;background:var(--warn-back);
color:var(--warn);
font-size:13px}
.groups{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:18px 28px;
margin-top:16px}
h3{font-size:12px;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:0 0 8px;
font-weight:700}
.groups section{max-width:600px}
.scores{list-style:none;margin:0;padding:0}
.scores li{display:grid;grid-template-columns:minmax(0,11fr) minmax(70px,9fr) 64px;gap:10px;
align-items:center;padding:2px 0}
.scores .label{overflow-wrap:anywhere}
.scores .value{text-align:right;white-space:nowrap;color:var(--soft)}
.scores li:first-child .label,.scores li:first-child .value{font-weight:700;color:var(--ink)}
.track{height:8px;border-radius:4px;background:var(--track);overflow:hidden}
.track i{display:block;height:100%;border-radius:4px;background:var(--rest)}
.scores li:first-child .track i{background:var(--accent)}
details{margin-top:12px;font-size:13px;color:var(--soft)}
summary{cursor:pointer}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 14px;margin:8px 0 0}
dd{margin:0;overflow-wrap:anywhere}
.near{grid-column:1/-1;border-top:1px solid var(--line);padding-top:16px}
.hits{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(176px,45%),1fr));gap:14px;
list-style:none;margin:0;
padding:0}
.hits .film{border-radius:8px}
.hits .name{display:block;font-size:13px;margin-top:6px;white-space:nowrap;overflow:hidden;
text-overflow:ellipsis}
.hits .more{display:block;font-size:12px;color:var(--soft);overflow-wrap:anywhere;
line-height:1.35}
.hits .cosine{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:8px;align-items:center;
font-size:12px;
margin-top:4px}
.hits .track{height:5px}.hits .track i{background:var(--accent)}
.problems{background:var(--bad-back);color:var(--bad);border-radius:14px;padding:16px 20px;
margin:16px 0}
.problems h2{font-size:16px}.problems ul{margin:8px 0 0;padding-left:20px;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:13px;padding-top:16px;padding-bottom:48px}
footer dl{max-width:100%}footer code{font:12px/1.5 ui-monospace,"DejaVu Sans Mono",monospace}
@media(max-width:720px){.case{grid-template-columns:minmax(0,1fr)}.case>.film{max-width:320px}
header,main,footer{padding-left:14px;padding-right:14px}}
@media print{body{background:#fff}.case{border-color:#bbb}details{display:none}}
)css";

}  // namespace vesalius::results
