/** The one style of all pages. Its digest is in the policy, so that no other one is applied. */
export const style = `
:root { color-scheme: light dark; --page: #fff; --text: #1f2328; --line: #d1d9e0; --dim: #59636e; --link: #0550ae;
  --good: #116329; --bad: #b32424; --wait: #7d4e00; --soft: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --text: #e6edf3; --line: #30363d; --dim: #9198a1;
  --link: #79b8ff; --good: #56d364; --bad: #ff8d85; --wait: #e3b341; --soft: #161b22; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 0 1rem 3rem; background: var(--page); color: var(--text); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.25rem 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: .75rem 0 .25rem; }
a { color: var(--link); } a:focus-visible, summary:focus-visible, pre:focus-visible, input:focus-visible, button:focus-visible, svg:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: .75rem 0; border-bottom: 1px solid var(--line); align-items: baseline; }
nav strong { margin-right: .5rem; } nav a[aria-current] { color: inherit; font-weight: 600; text-decoration: none; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .45rem .9rem .45rem 0; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: break-word; word-break: normal; }
thead th { color: var(--dim); font-weight: 600; font-size: .85rem; white-space: nowrap; } tbody th { font-weight: 600; } tr:target { background: var(--soft); }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; } td.long { overflow-wrap: anywhere; min-width: 12rem; } td.time { white-space: nowrap; }
code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--soft); padding: .75rem; border: 1px solid var(--line); border-radius: 6px; max-height: 30rem; overflow: auto; }
details { margin: .75rem 0; border: 1px solid var(--line); border-radius: 6px; padding: .5rem .9rem; } summary { cursor: pointer; font-weight: 600; }
details[open] > summary { margin-bottom: .5rem; }
figure { margin: 1rem 0; } figcaption { color: var(--dim); font-size: .85rem; }
svg.chart { width: 100%; height: 14rem; display: block; } svg .line { fill: none; stroke: var(--link); stroke-width: 2; vector-effect: non-scaling-stroke; }
svg .axis { stroke: var(--line); } svg :is(.limit, .fired, .merged, .synced, .recovered, .reverted) { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 6 4; vector-effect: non-scaling-stroke; }
svg .fired { stroke: var(--wait); stroke-dasharray: 2 4; } svg .merged { stroke: var(--text); stroke-dasharray: none; } svg .synced { stroke: var(--dim); stroke-dasharray: 4 2; } svg .recovered { stroke: var(--good); stroke-dasharray: none; } svg .reverted { stroke-dasharray: none; }
.key { white-space: nowrap; margin-left: 1rem; } .key svg { width: 24px; height: 8px; margin-right: .35rem; vertical-align: middle; }
.axis-row { display: flex; justify-content: space-between; gap: 1rem; color: var(--dim); font-size: .85rem; font-variant-numeric: tabular-nums; }
.dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
.mark { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; font-weight: 600; white-space: nowrap; }
.filters { display: flex; flex-wrap: wrap; gap: .4rem .9rem; margin: .5rem 0; padding: 0; list-style: none; align-items: baseline; } .filters > li:first-child { color: var(--dim); }
.filters [aria-current] { font-weight: 600; color: inherit; text-decoration: none; border-bottom: 2px solid currentColor; }
form { display: flex; flex-wrap: wrap; gap: .5rem; margin: .75rem 0; align-items: center; }
input, button { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--dim); border-radius: 6px; padding: .25rem .6rem; } input { min-width: 0; flex: 0 1 18rem; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: .75rem 0; } dl.facts dt { color: var(--dim); } dl.facts dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
dl.detail { display: grid; grid-template-columns: max-content 1fr; gap: 0 .75rem; margin: 0; font-size: .9rem; } dl.detail dt { color: var(--dim); } dl.detail dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
ol.timeline { list-style: none; margin: .5rem 0; padding: 0 0 0 1.1rem; border-left: 2px solid var(--line); margin-left: .4rem; }
ol.timeline li { position: relative; padding: 0 0 .7rem; overflow-wrap: anywhere; }
ol.timeline li::before { content: ""; position: absolute; left: -1.5rem; top: .45rem; width: .7rem; height: .7rem; border-radius: 50%; background: var(--link); border: 2px solid var(--page); }
ol.timeline li.good::before { background: var(--good); } ol.timeline li.bad::before { background: var(--bad); } ol.timeline li.wait::before { background: var(--wait); }
ol.timeline li > * { color: var(--text); } ol.timeline li > .dim { color: var(--dim); font-variant-numeric: tabular-nums; }
ol.causes { margin: .5rem 0; padding-left: 1.5rem; } ol.causes li { margin-bottom: .75rem; } svg.bar { display: block; width: 100%; max-width: 24rem; height: .5rem; margin: .2rem 0; } svg.bar .all { fill: var(--line); } svg.bar .part { fill: var(--link); }
@media (max-width: 44rem) {
  table, tbody, tr, td, tbody th { display: block; width: 100%; } thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { border: 1px solid var(--line); border-radius: 6px; padding: .4rem .75rem; margin: .6rem 0; }
  th, td, td.long { border: 0; padding: .1rem 0; min-width: 0; } td.time, td.number { white-space: normal; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--dim); font-size: .85rem; } td:empty { display: none; }
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: .4rem; }
}
`;
