import type { Call, Routes } from "../http.ts";
import { Problem, bodyText, created, invalid, notFound, ok, paged, requiredText, textOf } from "../http.ts";
import type { Account, IssueRecord, ForgeState } from "../world.ts";
import { issueView, labelViews, pullView } from "./views.ts";

/** Issues, which every pull request is too: text, state, labels. */
export function issueRoutes(world: ForgeState): Routes {
  const at = "/repos/{owner}/{repo}";
  return {
    [`GET ${at}/issues`]: (call) =>
      paged(
        call,
        listIssues(world, call).map((issue) => issueView(world, issue)),
      ),
    [`POST ${at}/issues`]: (call) => {
      if (!world.settings.hasIssues) throw new Problem(410, "Issues has been disabled in this repository.");
      const body = bodyText(call, "Issue") ?? null;
      const issue = openIssue(world, { title: requiredText(call, "title", "Issue"), body }, world.bot);
      if (call.body.labels !== undefined) addLabels(world, issue, labelNames(call), world.bot);
      return created(issueView(world, issue));
    },
    [`GET ${at}/issues/{number}`]: (call) => ok(issueView(world, issueOf(world, call))),
    [`PATCH ${at}/issues/{number}`]: (call) => {
      const issue = issueOf(world, call);
      editText(world, issue, call);
      if (call.body.labels !== undefined) issue.labels = [];
      if (call.body.labels !== undefined) addLabels(world, issue, labelNames(call), world.bot);
      setState(world, issue, textOf(call, "state", "Issue"), world.bot);
      return ok(issueView(world, issue));
    },
    [`GET ${at}/issues/{number}/labels`]: (call) => paged(call, labelViews(world, issueOf(world, call).labels)),
    [`POST ${at}/issues/{number}/labels`]: (call) => {
      const issue = issueOf(world, call);
      addLabels(world, issue, labelNames(call), world.bot);
      return ok(labelViews(world, issue.labels));
    },
    [`DELETE ${at}/issues/{number}/labels/{name}`]: (call) => {
      const issue = issueOf(world, call);
      const name = call.params.name ?? "";
      if (!issue.labels.includes(name)) throw notFound();
      issue.labels = issue.labels.filter((label) => label !== name);
      announce(world, issue, "unlabeled", world.bot);
      return ok(labelViews(world, issue.labels));
    },
  };
}

export function issueOf(world: ForgeState, call: Call): IssueRecord {
  const issue = world.issues.get(Number(call.params.number));
  if (!issue) throw notFound();
  return issue;
}

function listIssues(world: ForgeState, call: Call): IssueRecord[] {
  const state = call.query.get("state") ?? "open";
  const wanted = (call.query.get("labels") ?? "").split(",").filter((label) => label !== "");
  const creator = call.query.get("creator");
  return [...world.issues.values()]
    .filter((issue) => world.settings.hasIssues || issue.pull !== undefined)
    .filter((issue) => state === "all" || issue.state === state)
    .filter((issue) => wanted.every((label) => issue.labels.includes(label)))
    .filter((issue) => creator === null || issue.author.login === creator)
    .reverse();
}

function labelNames(call: Call): string[] {
  const given = Array.isArray(call.body) ? call.body : call.body.labels;
  if (!Array.isArray(given)) throw invalid("Label", "labels", { code: "missing_field" });
  return given.map((label: unknown) => {
    const name = typeof label === "object" && label !== null && "name" in label ? label.name : label;
    if (typeof name !== "string" || name === "" || name.length > 50)
      throw invalid("Label", "name", { code: "invalid" });
    return name;
  });
}

export function openIssue(
  world: ForgeState,
  { title, body }: { title: string; body: string | null },
  author: Account,
): IssueRecord {
  const now = world.now();
  const issue: IssueRecord = {
    ...{ number: world.nextNumber(), id: world.nextId(), title, body, state: "open", author, labels: [] },
    ...{ createdAt: now, updatedAt: now, closedAt: null, pull: undefined },
  };
  world.issues.set(issue.number, issue);
  world.emit("issues", { action: "opened", issue: issueView(world, issue) }, author);
  return issue;
}

/** Adds labels as GitHub does: an unknown one is made, a present one stays. */
export function addLabels(world: ForgeState, issue: IssueRecord, names: readonly string[], sender: Account): void {
  for (const name of names) {
    if (!world.labels.has(name)) world.labels.set(name, world.nextId());
    if (issue.labels.includes(name)) continue;
    issue.labels.push(name);
    issue.updatedAt = world.now();
    announce(world, issue, "labeled", sender);
  }
}

/** Tells of a change as `issues` or, for a pull request, as `pull_request`. */
export function announce(
  world: ForgeState,
  issue: IssueRecord,
  action: string,
  ...[sender, more]: [Account, Readonly<Record<string, unknown>>?]
): void {
  if (!issue.pull) return world.emit("issues", { action, issue: issueView(world, issue), ...more }, sender);
  const pull_request = { ...pullView(world, issue, issue.pull), merged: issue.pull.mergedAt !== null };
  world.emit("pull_request", { action, number: issue.number, pull_request, ...more }, sender);
}

/** Title and body, as far as the request gives them. */
export function editText(world: ForgeState, issue: IssueRecord, call: Call): void {
  const resource = issue.pull ? "PullRequest" : "Issue";
  const title = textOf(call, "title", resource);
  const body = bodyText(call, resource);
  if (title === undefined && body === undefined) return;
  edit(world, issue, { title, body }, world.bot);
}

/** The webhook of an edit is the only place where GitHub names the editor. */
export function edit(
  world: ForgeState,
  issue: IssueRecord,
  { title, body }: { readonly title?: string | undefined; readonly body?: string | undefined },
  sender: Account,
): void {
  const changes = {
    ...(title === undefined || title === issue.title ? {} : { title: { from: issue.title } }),
    ...(body === undefined || body === issue.body ? {} : { body: { from: issue.body ?? "" } }),
  };
  issue.title = title ?? issue.title;
  issue.body = body ?? issue.body;
  issue.updatedAt = world.now();
  announce(world, issue, "edited", sender, { changes });
}

export function setState(world: ForgeState, issue: IssueRecord, state: string | undefined, sender: Account): void {
  if (state === undefined || state === issue.state) return;
  if (state === "closed") return closeIssue(world, issue, sender);
  if (state !== "open") throw invalid(issue.pull ? "PullRequest" : "Issue", "state", { code: "invalid" });
  if (issue.pull?.mergedAt)
    throw invalid("PullRequest", "state", { code: "custom", message: "state cannot be changed." });
  issue.state = "open";
  issue.closedAt = null;
  issue.updatedAt = world.now();
  announce(world, issue, "reopened", sender);
}

export function closeIssue(world: ForgeState, issue: IssueRecord, sender: Account): void {
  issue.state = "closed";
  issue.closedAt = world.now();
  issue.updatedAt = issue.closedAt;
  announce(world, issue, "closed", sender);
}
