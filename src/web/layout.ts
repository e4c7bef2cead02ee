import { html, raw } from "hono/html";

type Part = ReturnType<typeof html>;

const style = `
:root { color-scheme: light dark; --line: #8884; --dim: #777; --good: #1a7f37; --bad: #cf222e; --wait: #9a6700; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem .3rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } code, pre { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
nav a { margin-right: 1rem; } .dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
td.time { white-space: nowrap; color: var(--dim); }
`;

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
        <nav><a href="/">Incidents</a><a href="/memory">Memory</a><a href="/autonomy">Autonomy</a><a href="/audit">Audit</a><a href="/system">System</a></nav>
        <h1>${title}</h1>
        ${body}
      </body>
    </html>`;
  return String(text);
}

/** A table; an empty one says so. */
export function table(heads: readonly string[], rows: readonly Part[], empty: string): Part {
  if (rows.length === 0) return html`<p class="dim">${empty}</p>`;
  return html`<table>
    <thead>
      <tr>
        ${heads.map((head) => html`<th scope="col">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

/** How an ending reads at a glance. */
export function endingClass(ending: string | undefined): "good" | "bad" | "wait" {
  if (ending === undefined) return "wait";
  return ending === "recovered" || ending === "resolved-before-merge" ? "good" : "bad";
}
