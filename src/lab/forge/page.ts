import { protectionLacks } from "./api/merging.ts";
import { filesOf } from "./api/pulls.ts";
import type { IssueRecord, PullRecord, ForgeState } from "./world.ts";

/** The page of a pull request, an issue or the repository, for people; undefined when there is none at this path. */
export async function pageAt(world: ForgeState, path: string): Promise<string | undefined> {
  const { owner, repo } = world.options;
  const home = `/${owner}/${repo}`;
  if (path === home || path === `${home}/pulls`) return documentOf(`${owner}/${repo}`, listing(world, home));
  const [, number] = /^\/[^/]+\/[^/]+\/(?:pull|issues)\/(\d+)$/.exec(path) ?? [];
  const issue = path.startsWith(`${home}/`) ? world.issues.get(Number(number)) : undefined;
  if (!issue) return undefined;
  const parts = [
    `<p><a href="${escaped(home)}">${escaped(`${owner}/${repo}`)}</a></p>`,
    `<h1>${escaped(issue.title)} <small>#${issue.number}</small></h1>`,
    `<p>${stateOf(issue)} · ${escaped(issue.author.login)} · ${issue.createdAt} ${labelsOf(issue)}</p>`,
    `<pre>${escaped(issue.body ?? "")}</pre>`,
    ...(issue.pull ? await changesOf(world, issue, issue.pull) : []),
    ...commentsOf(world, issue),
  ];
  return documentOf(`${issue.title} #${issue.number}`, parts.join("\n"));
}

function listing(world: ForgeState, home: string): string {
  const items = [...world.issues.values()].reverse().map((issue) => {
    const kind = issue.pull ? "pull" : "issues";
    const link = `<a href="${escaped(`${home}/${kind}/${issue.number}`)}">${escaped(issue.title)}</a>`;
    return `<li>#${issue.number} ${link} (${stateOf(issue)}) ${labelsOf(issue)}</li>`;
  });
  return `<h1>${escaped(home.slice(1))}</h1><ul>${items.join("\n")}</ul>`;
}

function stateOf({ state, pull }: IssueRecord): string {
  return pull?.mergedAt ? `merged as ${pull.mergeSha?.slice(0, 7)}` : pull?.draft ? "draft" : state;
}

function labelsOf({ labels }: IssueRecord): string {
  return labels.map((label) => `<mark>${escaped(label)}</mark>`).join(" ");
}

async function changesOf(world: ForgeState, issue: IssueRecord, pull: PullRecord): Promise<string[]> {
  const checks = world.checks.filter((check) => check.sha === pull.headSha);
  const lacks = issue.state === "open" ? protectionLacks(world, pull) : [];
  const files = await filesOf(world, issue, pull);
  return [
    `<h2>Checks on ${pull.headSha.slice(0, 7)}</h2>`,
    `<ul>${checks.map(checkItem).join("\n")}${lacks.map((lack) => `<li>${escaped(lack)}</li>`).join("\n")}</ul>`,
    `<h2>${escaped(pull.headRef)} into ${escaped(pull.baseRef)}</h2>`,
    ...files.map(
      ({ filename, patch }) => `<h3>${escaped(filename)}</h3><pre>${patch.split("\n").map(line).join("\n")}</pre>`,
    ),
  ];
}

function checkItem({ name, appSlug, status, conclusion, output }: ForgeState["checks"][number]): string {
  const title = output.title === null ? "" : `: ${escaped(output.title)}`;
  return `<li><b>${escaped(name)}</b> by ${escaped(appSlug)}: ${conclusion ?? status}${title}</li>`;
}

function line(text: string): string {
  const kind = text.startsWith("+") ? "ins" : text.startsWith("-") ? "del" : "span";
  return `<${kind}>${escaped(text)}</${kind}>`;
}

function commentsOf(world: ForgeState, { number }: IssueRecord): string[] {
  return [...world.comments.values()]
    .filter((comment) => comment.issue === number)
    .map(({ id, author, createdAt, updatedAt, body, reactions }) => {
      const edited = updatedAt === createdAt ? "" : " (edited)";
      const given = reactions.map(({ content }) => content).join(" ");
      const by = `<b>${escaped(author.login)}</b> ${createdAt}${edited} ${escaped(given)}`;
      return `<article id="issuecomment-${id}"><p>${by}</p><pre>${escaped(body)}</pre></article>`;
    });
}

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;color:#111;padding:.7rem}ins{background:#d6f5d6;text-decoration:none}del{background:#fadcdc;text-decoration:none}";

function documentOf(title: string, content: string): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>`;
  return `<!doctype html><html lang="en"><head>${head}<style>${style}</style></head><body>${content}</body></html>\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
