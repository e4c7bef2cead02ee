import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { visible } from "../../../domain/text/visible.ts";
import { style } from "./style.ts";

/** A piece of a page; everything put into it is escaped. */
export type Part = ReturnType<typeof html>;

const links = [
  ["/", "Incidents"],
  ["/memory", "Memory"],
  ["/autonomy", "Autonomy"],
  ["/audit", "Audit"],
  ["/system", "System"],
] as const;

/** The one style that the pages may use, our own icon, and nothing else: no script, no remote resource, no frame. */
const contentPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;

/** What every page is sent with. */
export const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": contentPolicy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** The icon: a line that comes back below its limit. */
export const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0550ae"/><path d="M2 11h3l2-7 3 9 1.500-4H14" fill="none" stroke="#fff" stroke-width="1.600" stroke-linejoin="round"/></svg>`;

/** How the navigation begins. */
export const brand = "<strong>Rectify</strong>";

/** One page: title, navigation, body. No script, no remote resource. */
export function page(title: string, body: Part): Promise<string> {
  const head = html`<nav aria-label="Pages">${raw(brand)}${navigation(title)}</nav>`;
  return documentOf(title, { icon: html`<link rel="icon" href="/favicon.svg" type="image/svg+xml" />`, head, body });
}

/** The same look for a file of its own, which asks for nothing and leads nowhere. */
export function standalone(title: string, body: Part): Promise<string> {
  return documentOf(title, { icon: html``, head: html`<nav><strong>Rectify</strong></nav>`, body });
}

interface Parts {
  readonly icon: Part;
  readonly head: Part;
  readonly body: Part;
}

async function documentOf(title: string, { icon, head, body }: Parts): Promise<string> {
  const text = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${icon}
        <title>${title} · Rectify</title>
        <style>${raw(style)}</style>
      </head>
      <body>
        ${head}
        <main>
        <h1>${title}</h1>
        ${body}
        </main>
      </body>
    </html>`;
  return visible(String(text));
}

/** How an ending reads at a glance. */
export function endingClass(ending: string | undefined): "good" | "bad" | "wait" | "dim" {
  if (ending === "shadow") return "dim";
  if (ending === undefined || ending === "open") return "wait";
  return ending === "recovered" || ending === "resolved-before-merge" ? "good" : "bad";
}

/** A state as a small mark: the word says it, the color repeats it. */
export function mark(word: string, look: "good" | "bad" | "wait" | "dim"): Part {
  return html`<span class="mark ${look}">${word}</span>`;
}

function navigation(title: string): Part[] {
  return links.map(([path, name]) =>
    name === title ? html`<a href="${path}" aria-current="page">${name}</a>` : html`<a href="${path}">${name}</a>`,
  );
}
