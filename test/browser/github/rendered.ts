import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { marked } from "marked";
import { isRecord } from "../../../src/domain/kubernetes/rendered.ts";
import { parseYaml } from "../../../src/manifests/yaml/yaml.ts";

const require = createRequire(import.meta.url);
const fileOf = (name: string) => readFileSync(require.resolve(name), "utf8");

/** What GitHub lets through of the HTML in Markdown: https://github.com/gjtorikian/html-pipeline */
const allowed = {
  ALLOWED_TAGS: [
    ...["h1", "h2", "h3", "h4", "h5", "h6", "br", "b", "i", "strong", "em", "a", "pre", "code", "img", "tt", "div"],
    ...["ins", "del", "sup", "sub", "p", "picture", "ol", "ul", "table", "thead", "tbody", "tfoot", "blockquote"],
    ...["dl", "dt", "dd", "kbd", "q", "samp", "var", "hr", "ruby", "rt", "rp", "li", "tr", "td", "th", "s", "strike"],
    ...["summary", "details", "caption", "figure", "figcaption", "abbr", "bdo", "cite", "dfn", "mark", "small"],
    ...["source", "span", "time", "wbr", "input"],
  ],
  ALLOWED_ATTR: [
    ...["href", "src", "alt", "title", "align", "width", "height", "open", "start", "type", "checked", "disabled"],
    ...["class", "id", "lang", "dir", "colspan", "rowspan"],
  ],
};

// GitHub's column of a pull request, and its own choice of Mermaid's theme.
const page = (title: string, bodies: readonly string[]) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title.replaceAll(/[<&]/g, "")}</title><link rel="stylesheet" href="/github.css">
<style>
  body { margin: 0; background: var(--bgColor-default); color: var(--fgColor-default); color-scheme: light dark; }
  main { max-width: 880px; margin: 0 auto; padding: 16px; }
  .markdown-body article a { text-decoration: underline; }
  article { border: 1px solid var(--borderColor-default); border-radius: 6px; padding: 16px; margin-bottom: 16px; }
</style></head>
<body class="markdown-body"><main></main>
<script src="/purify.js"></script><script src="/mermaid.js"></script>
<script type="application/json" id="bodies">${JSON.stringify(bodies).replaceAll("<", "\\u003c")}</script>
<script src="/show.js"></script></body></html>`;

const show = `
const main = document.querySelector("main");
const lost = [];
for (const body of JSON.parse(document.getElementById("bodies").textContent)) {
  const article = document.createElement("article");
  article.innerHTML = DOMPurify.sanitize(body, ${JSON.stringify(allowed)});
  for (const { element, attribute } of DOMPurify.removed) {
    // Comments are not shown anyway, and the body is DOMPurify's own.
    if (element?.nodeType === Node.COMMENT_NODE || element?.nodeName === "BODY") continue;
    lost.push((element?.nodeName ?? "") + " " + (attribute?.name ?? element?.outerHTML ?? element?.textContent).slice(0, 120));
  }
  main.append(article);
}
// A box that people tick is named by its line.
for (const box of document.querySelectorAll("li > input")) box.setAttribute("aria-label", box.parentElement.textContent.trim());
// GitHub scrolls a wide table and a wide block within itself, and lets the keyboard do so.
for (const wide of document.querySelectorAll("table, pre")) wide.tabIndex = 0;
const charts = [...document.querySelectorAll("code.language-mermaid")];
for (const code of charts) {
  const chart = document.createElement("div");
  chart.className = "mermaid";
  chart.textContent = code.textContent;
  code.parentElement.replaceWith(chart);
}
// What is folded away has no size to draw in.
for (const part of document.querySelectorAll("details")) part.open = true;
mermaid.initialize({ startOnLoad: false, theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "default" });
const drawing = mermaid.run({ querySelector: ".mermaid" }).then(() => undefined, (error) => String(error?.str ?? error));
window.shown = drawing.then((problem) => {
  for (const part of document.querySelectorAll("details")) part.open = false;
  const missing = charts.length - document.querySelectorAll(".mermaid > svg").length;
  return [...lost, ...(problem ? [problem] : []), ...(missing > 0 ? [missing + " charts are not drawn"] : [])];
});
`;

const types = { css: "text/css", js: "text/javascript", html: "text/html; charset=utf-8" } as const;

/** Serves Markdown texts on loopback as GitHub shows them: GFM, its sanitizer's list, its style, Mermaid. */
export async function serveMarkdown(
  texts: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; readonly server: Server }> {
  const files: Readonly<Record<string, string>> = {
    "/github.css": fileOf("github-markdown-css"),
    "/purify.js": fileOf("dompurify/purify.min.js"),
    "/mermaid.js": fileOf("@mermaid-js/tiny"),
    "/show.js": show,
    "/favicon.ico": "",
  };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "/");
    const text = texts[path.slice(1)];
    const type = types[path.split(".").at(-1) as keyof typeof types] ?? types.html;
    const answer = text === undefined ? files[path] : page(path, text.split(articleMark).map(toHtml));
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": type }).end(answer);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Between what GitHub shows in boxes of their own. */
export const articleMark = "\n\n<!-- next -->\n\n";

function toHtml(markdown: string): string {
  const [, front, body = markdown] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(markdown) ?? [];
  const shown = marked.parse(body, { gfm: true, async: false });
  return front === undefined ? shown : frontMatter(front) + shown;
}

/** GitHub shows the front matter of a file as a table, and what lies within as tables in it. */
function frontMatter(front: string): string {
  const read = parseYaml(front);
  return read.ok ? cell(read.value) : "";
}

function cell(value: unknown): string {
  if (Array.isArray(value)) return table("", value.map((item) => `<tr><td>${cell(item)}</td></tr>`).join(""));
  if (!isRecord(value))
    return String(value ?? "")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;");
  const names = Object.keys(value).map((name) => `<th>${cell(name)}</th>`);
  const values = Object.values(value).map((item) => `<td>${cell(item)}</td>`);
  return table(`<tr>${names.join("")}</tr>`, `<tr>${values.join("")}</tr>`);
}

function table(head: string, body: string): string {
  return `<table>${head === "" ? "" : `<thead>${head}</thead>`}<tbody>${body}</tbody></table>`;
}
