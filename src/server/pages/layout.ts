import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { visible } from "../../domain/text/visible.ts";

type Part = ReturnType<typeof html>;

const style = `
:root { color-scheme: light dark; --page: #fff; --text: #1f2328; --line: #d1d9e0; --dim: #59636e; --link: #0550ae;
  --good: #116329; --bad: #b32424; --wait: #7d4e00; --soft: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --text: #e6edf3; --line: #30363d; --dim: #9198a1;
  --link: #79b8ff; --good: #56d364; --bad: #ff8d85; --wait: #e3b341; --soft: #161b22; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 0 1rem 3rem; background: var(--page); color: var(--text); }
h1 { font-size: 1.5rem; margin: 1.25rem 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .25rem; } h3 { font-size: 1rem; margin: .75rem 0 .25rem; }
a { color: var(--link); } a:focus-visible, summary:focus-visible, .wide:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: .75rem 0; border-bottom: 1px solid var(--line); }
nav strong { margin-right: .5rem; } nav a[aria-current] { color: inherit; font-weight: 600; text-decoration: none; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--dim); font-weight: 600; font-size: .85rem; } tbody th { font-weight: 600; white-space: nowrap; } tr:target { background: var(--soft); }
code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; } td { min-width: 5rem; overflow-wrap: anywhere; } td.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; background: var(--soft); padding: .75rem; border: 1px solid var(--line); border-radius: 6px; max-height: 30rem; overflow: auto; }
details { margin: .75rem 0; } summary { cursor: pointer; } figure { margin: 1rem 0; } figcaption { color: var(--dim); font-size: .85rem; }
svg { width: 100%; height: auto; display: block; } svg .line { fill: none; stroke: var(--link); stroke-width: 2; } svg .axis { stroke: var(--line); }
svg .limit { stroke: var(--bad); stroke-dasharray: 6 4; } svg text { fill: var(--dim); font: 12px system-ui, sans-serif; }
.dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
.mark { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; font-weight: 600; white-space: nowrap; }
td.time { white-space: nowrap; color: var(--dim); font-variant-numeric: tabular-nums; }
@media (max-width: 40rem) { td { min-width: 9rem; } td.number { min-width: 0; } td.time { white-space: normal; min-width: 7rem; } }
`;

const links = [
  ["/", "Incidents"],
  ["/memory", "Memory"],
  ["/autonomy", "Autonomy"],
  ["/audit", "Audit"],
  ["/system", "System"],
] as const;

/** The one style that the pages may use, and nothing else: no script, no remote resource, no frame, no form. */
export const contentPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** One page: title, navigation, body. Everything put into a template is escaped. No script, no remote resource. */
export async function page(title: string, body: Part): Promise<string> {
  const text = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Rectify</title>
        <style>${raw(style)}</style>
      </head>
      <body>
        <nav aria-label="Pages"><strong>Rectify</strong>${navigation(title)}</nav>
        <main>
        <h1>${title}</h1>
        ${body}
        </main>
      </body>
    </html>`;
  return visible(String(text));
}

/** A table; an empty one says so. */
export function table(heads: readonly string[], rows: readonly Part[], empty: string): Part {
  if (rows.length === 0) return html`<p class="dim">${empty}</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="${heads.join(", ")}"><table>
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

/** A state as a small mark: the word says it, the colour repeats it. */
export function mark(word: string, look: "good" | "bad" | "wait" | "dim"): Part {
  return html`<span class="mark ${look}">${word}</span>`;
}

function navigation(title: string): Part[] {
  return links.map(([path, name]) =>
    name === title ? html`<a href="${path}" aria-current="page">${name}</a>` : html`<a href="${path}">${name}</a>`,
  );
}

/** An RFC 3339 time to the second, as a reader writes it. */
export function clock(at: string): string {
  return at.replace("T", " ").slice(0, 19);
}
