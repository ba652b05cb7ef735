/** How the page looks: on screens from 320 px up, light and dark, and on paper. */
export const STYLE = `:root{color-scheme:light dark;
--bg:light-dark(#f7f7f5,#14171a);--card:light-dark(#fff,#1b1f24);--ink:light-dark(#1b2127,#e4e7ea);--soft:light-dark(#56616c,#a2acb6);
--line:light-dark(#dcdfe2,#323940);--accent:light-dark(#0b6075,#66bfd6);--band:light-dark(#f3f4f2,#20252b);
--critical:light-dark(#a1121f,#ff8f8a);--high:light-dark(#a34308,#f2a266);--medium:light-dark(#7d5a00,#dcb751);--low:light-dark(#2d5f8f,#8cb8e4);--info:light-dark(#56616c,#a2acb6);--well:light-dark(#1c6b3c,#74c794)}
:root[data-theme=light]{color-scheme:light}
:root[data-theme=dark]{color-scheme:dark}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:82rem;padding:1.5rem clamp(.8rem,3vw,2.5rem) 3rem;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;overflow-wrap:break-word}
h1,h2,h3,p,ul,dl,dd,figure{margin:0}
h1{font-size:1.55rem;line-height:1.25;font-weight:650;letter-spacing:-.01em}
h2{font-size:1.15rem;font-weight:650;margin-bottom:.75rem}
h3{font-size:1rem;font-weight:600}
ul{padding:0;list-style:none}
a{color:var(--accent);text-underline-offset:.15em;text-decoration-thickness:1px}
a:hover{text-decoration-thickness:2px}
code{font:.86em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
small{display:block;color:var(--soft);font-size:.85em}
time{white-space:nowrap}
time,.num,td,th,svg text{font-variant-numeric:tabular-nums}
.soft,figcaption,.scope,.lives .story>p,caption,dt{color:var(--soft)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
section:focus{outline:none}
[hidden]{display:none!important}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;padding:.4rem .8rem;background:var(--card);z-index:2}
button,input,select{font:inherit;color:inherit;background:var(--card);border:1px solid light-dark(#868f98,#6d7781);border-radius:6px;padding:.3rem .6rem;min-height:2.2rem}
button{cursor:pointer}
button:hover{border-color:var(--accent)}
.title{display:flex;gap:1rem;justify-content:space-between;align-items:start}
#theme{flex:none}
#theme[aria-pressed=true]::before{content:"✓ "}
.facts{display:flex;flex-wrap:wrap;gap:.3rem 2.2rem;margin-top:.7rem}
dt{font-size:.85rem}
nav{margin:1.2rem 0 1.4rem;border-block:1px solid var(--line);padding:.5rem 0}
nav ul,.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem}
main>section{margin-bottom:1.5rem;padding:1.3rem clamp(.9rem,2vw,1.6rem);background:var(--card);border:1px solid var(--line);border-radius:10px;scroll-margin-top:1rem}
.verdict{border-left:5px solid var(--tone);padding:.15rem 0 .15rem 1rem}
.act{--tone:var(--critical)}.look{--tone:var(--medium)}.well{--tone:var(--well)}
.headline{font-size:1.35rem;font-weight:650;line-height:1.3;color:var(--tone)}
.well .headline::before{content:"✓ "}
.verdict ul{margin-top:.5rem}
.verdict li{display:flex;gap:.8rem;padding:.15rem 0}
.verdict .sev{flex:none;width:5.6rem}
.verdict .who::after{content:": "}
.critical{--tone:var(--critical);--shape:"◆"}.high{--tone:var(--high);--shape:"▲"}.medium{--tone:var(--medium);--shape:"●"}.low{--tone:var(--low);--shape:"▽"}.info{--tone:var(--info);--shape:"○"}
.sev{color:var(--tone);font-weight:600;white-space:nowrap}
.sev::before{content:var(--shape) / "";display:inline-block;width:1.2em;font-size:.85em}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(6rem,1fr));gap:.7rem;margin:1.3rem 0 1rem}
.tile{border:1px solid var(--line);border-top:3px solid var(--tone);border-radius:6px}
.tile a{display:block;padding:.5rem .8rem .6rem;text-decoration:none;color:inherit}
.tile a:hover{background:var(--band)}
.tile b{display:block;font-size:1.7rem;line-height:1.2;font-weight:600}
.none{border-top-color:var(--line)}
.none b,.none .sev{color:var(--soft);font-weight:400}
.legend{margin:.6rem 0;font-size:.9rem}
.legend svg{vertical-align:-.1em}
svg{display:block;width:100%;overflow:visible}
.legend svg,.patterns{display:inline-block;width:auto}
.legend svg[width="22"]{width:22px}.legend svg[width="14"]{width:14px;vertical-align:-.15em}.legend svg[width="6"]{width:6px}
.patterns{position:absolute}
svg text{fill:var(--ink);font-size:12px}
svg .tick{fill:var(--soft);font-size:11.5px}
.ground{stroke:var(--line)}
line.axis{stroke:var(--soft)}
.managed,.current{fill:var(--accent)}
.others{fill:url(#grey)}
.limit{stroke:var(--critical);stroke-width:1.5;stroke-dasharray:5 4}
text.limit{fill:var(--critical);stroke:none;font-weight:600}
.paper{fill:var(--card)}.mark{fill:var(--accent)}
#grey .mark{fill:var(--soft)}
.pending{fill:var(--medium)}.retiring{fill:url(#stripes);stroke:var(--accent)}.disabled{fill:url(#dots);stroke:var(--accent)}
.planned{fill:none;stroke:var(--accent);stroke-dasharray:3 3}
.now{stroke:var(--critical);stroke-width:1.5}
.story>h3,.story>h3+p{display:inline}
.story>h3{margin-right:.8em}
.story{padding:.6rem 0;border-top:1px solid var(--line);break-inside:avoid}
.life code{display:inline-block;min-width:21ch}
.life{display:grid;grid-template-columns:17.5rem 1fr 13.5rem;gap:0 1.2rem;align-items:center;min-height:1.7rem;font-size:.93rem}
details{margin-top:1rem}
summary{cursor:pointer;color:var(--accent);width:fit-content}
.scroll{overflow-x:auto}
.scroll td,.scroll th{white-space:nowrap}
table{border-collapse:collapse;width:100%}
.numbers{width:auto}
caption{text-align:left;padding-bottom:.5rem;font-size:.93rem}
th,td{text-align:left;vertical-align:top;padding:.5rem 1rem .5rem 0;border-bottom:1px solid var(--line)}
thead th{font-size:.88rem;font-weight:600;border-bottom:2px solid var(--line);vertical-align:bottom}
tbody th{font-weight:400}
.numbers td,.count{text-align:right}
.numbers td,.numbers thead th+th{padding-left:1.5rem;text-align:right}
.count{padding-right:2.5rem}
.names li{overflow-wrap:anywhere}
.names ul{display:flex;flex-wrap:wrap;gap:.1rem 1.3rem;font-size:.93rem}
.checks th:first-child{width:24%}
.checks td:nth-child(2){width:9rem}
#controls{display:flex;flex-wrap:wrap;gap:.7rem 1rem;align-items:end;margin-bottom:.9rem}
#controls label{display:grid;font-size:.88rem;color:var(--soft)}
#controls label>*{color:var(--ink);font-size:15px}
#controls label:first-child{flex:1 1 9rem}
#controls .tick{display:flex;align-items:center;gap:.4rem;min-height:2.2rem;color:var(--ink);font-size:15px}
#controls .tick input{min-height:0;width:1.1rem;height:1.1rem;accent-color:var(--accent)}
select{max-width:14rem;width:100%}
#shown{font-weight:600;margin-bottom:.3rem}
.findings td small,.findings td p{overflow-wrap:break-word}
@media screen{
.findings,.findings>*{display:block}
.findings tr{display:grid;grid-template-columns:6.4rem minmax(0,3fr) 11.2rem minmax(0,2.2fr) minmax(0,8fr);gap:0 1rem;border-bottom:1px solid var(--line)}
.findings td,.findings th{border:0;padding:.5rem 0}
.findings thead{position:sticky;top:0;background:var(--card);z-index:1}
.findings thead tr{border-bottom-width:2px}
.findings tbody tr{content-visibility:auto;contain-intrinsic-size:auto 6.6rem}
}
.findings tbody tr:hover{background:var(--band)}
.findings b{font-weight:600}
.findings td a{color:inherit;text-decoration-color:var(--line)}
.seen::before{content:"Seen: "}
.do::before{content:"To do: "}
.seen,.do::before{color:var(--soft)}
.brief .do{display:none}
th button{all:unset;cursor:pointer;padding:.2rem 0;font-weight:600}
th button::after{content:"↕" / "";display:inline-block;width:1.2em;text-align:center;color:var(--soft);font-weight:400}
th[aria-sort=ascending] button::after{content:"↑" / "";color:var(--accent)}
th[aria-sort=descending] button::after{content:"↓" / "";color:var(--accent)}
th button:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
footer{color:var(--soft);font-size:.88rem}
@media screen and (max-width:60rem){.life{grid-template-columns:1fr auto;padding:.25rem 0}.life svg{grid-row:2;grid-column:1/-1}.when span{display:none}}
@media screen and (max-width:52rem){
.findings thead tr{display:flex;flex-wrap:wrap;gap:0 1rem}
.findings thead{position:static}
.findings th{padding:.2rem 0}
.findings tbody tr{grid-template-columns:auto 1fr;gap:.15rem .9rem;padding:.8rem 0;contain-intrinsic-size:auto 11rem}
.findings td{padding:0}
.findings td:nth-child(n+3){grid-column:1/-1}
.findings td:last-child{grid-row:2}
.findings td>.soft{display:none}
.findings td small{display:inline;margin-left:.5em}
.checks,.checks tbody{display:block}.checks caption{display:block}
.checks thead{position:absolute;left:-99rem}
.checks tr{display:grid;grid-template-columns:1fr auto auto;gap:.2rem 1rem;padding:.6rem 0;border-bottom:1px solid var(--line)}
.checks td,.checks tbody th{border:0;padding:0;width:auto!important}
.checks .names{grid-column:1/-1;color:var(--soft)}
}
@media screen and (max-width:30rem){body{font-size:14.5px}.title{display:block}#theme{margin-top:.6rem}.tiles{gap:.5rem;grid-template-columns:repeat(3,1fr)}.tile a{padding:.4rem .5rem}select{max-width:none}#controls label{flex:1 1 40%}.life{grid-template-columns:1fr}.life svg{grid-row:auto}.story>h3,.story>h3+p{display:block}.verdict li{display:block}}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media (forced-colors:active){.managed,.current,.pending,.mark{fill:CanvasText}.paper{fill:Canvas}}
@media print{
:root,:root[data-theme]{color-scheme:light;--bg:#fff;font-size:12px}
@page{margin:14mm}
body{max-width:none;padding:0;font-size:9.5pt}
nav,.skip,#theme,#controls,summary,#shown{display:none!important}
main>section{border:0;padding:0;margin-bottom:1.2rem}
h2,h3,.headline{break-after:avoid}
figure,tr,.story,.verdict,.tiles{break-inside:avoid}
thead{display:table-header-group}
.findings{table-layout:fixed}
.findings th:nth-child(1){width:5.4rem}.findings th:nth-child(2){width:16%}.findings th:nth-child(3){width:9.6rem}.findings th:nth-child(4){width:14%}
tr[hidden]{display:table-row!important}
.brief .do{display:block}
#findings{break-before:page}
details::details-content{content-visibility:visible;block-size:auto}
.scroll td,.scroll th,.scroll time{white-space:normal}
.scroll table{font-size:7.5pt}
.scroll td,.scroll th{padding-right:.5rem}
.scroll code{white-space:nowrap}
.life{grid-template-columns:16.5rem 1fr 13rem;font-size:8.5pt}
th button::after{content:none!important}
main{margin-top:1.2rem}
a{color:inherit;text-decoration:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;
