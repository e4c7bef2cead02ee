import { html, raw } from "hono/html";

type Part = ReturnType<typeof html>;

const style = `
:root { color-scheme: light dark; --line: #8884; --dim: #666; --good: #1a7f37; --bad: #cf222e; --wait: #9a6700; --link: #0969da; --panel: #8881; }
@media (prefers-color-scheme: dark) { :root { --dim: #999; --good: #3fb950; --bad: #ff7b72; --wait: #d29922; --link: #58a6ff; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 0 auto; padding: 0 1rem 3rem; }
a { color: var(--link); text-decoration: none; } a:hover, a:focus-visible { text-decoration: underline; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: .8rem 0; border-bottom: 1px solid var(--line); }
nav strong { margin-right: .6rem; } nav a[aria-current] { color: inherit; font-weight: 600; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35rem .8rem .35rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; } td { overflow-wrap: anywhere; min-width: 5.5rem; }
code, pre { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
td.time { white-space: nowrap; color: var(--dim); font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } svg { width: 100%; background: var(--panel); border-radius: 4px; }
polyline { fill: none; stroke: var(--link); stroke-width: 2; } .limit { stroke: var(--bad); stroke-dasharray: 5 4; }
`;

const places = [
  ["/", "Incidents"],
  ["/memory", "Memory"],
  ["/autonomy", "Autonomy"],
  ["/audit", "Audit"],
  ["/system", "System"],
] as const;

/** One page: title, navigation, body. Everything put into a template is escaped. No script, no remote resource. */
export async function page(title: string, body: Part): Promise<string> {
  const text = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Rectify</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <nav>
          <strong>Rectify</strong>
          ${places.map(([path, name]) => (name === title ? html`<a href="${path}" aria-current="page">${name}</a>` : html`<a href="${path}">${name}</a>`))}
        </nav>
        <h1>${title}</h1>
        ${body}
      </body>
    </html>`;
  return String(text);
}

/** A table; an empty one says so. */
export function table(heads: readonly string[], rows: readonly Part[], empty: string): Part {
  if (rows.length === 0) return html`<p class="dim">${empty}</p>`;
  return html`<div class="wide"><table>
    <thead>
      <tr>
        ${heads.map((head) => html`<th scope="col">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table></div>`;
}

/** How an ending reads at a glance. */
export function endingClass(ending: string | undefined): "good" | "bad" | "wait" {
  if (ending === undefined) return "wait";
  return ending === "recovered" || ending === "resolved-before-merge" ? "good" : "bad";
}
