import type { components } from "@octokit/openapi-types";
import { lined, isProtected } from "./git-data.ts";
import type { Call, Routes } from "../http.ts";
import { Problem, notFound, ok, paged } from "../http.ts";
import { commitView } from "./commit-views.ts";
import { accountView, apiOf, pageOf, type Part, repositoryView } from "./views.ts";
import type { Account, ForgeState } from "../world.ts";
import { accountOf, permissionOf } from "../world.ts";

/** The repository itself: branches and their protection, contents, history, people. */
export function repositoryRoutes(world: ForgeState): Routes {
  const at = "/repos/{owner}/{repo}";
  return {
    [`GET ${at}`]: () => ok(repositoryView(world)),
    [`GET ${at}/branches`]: async (call) => {
      const refs = await world.store.refs("refs/heads/");
      const branches = refs.map(({ ref, sha }) => ({ name: ref.slice("refs/heads/".length), sha }));
      return paged(
        call,
        branches.map(({ name, sha }) => ({
          name,
          commit: { sha, url: `${apiOf(world)}/commits/${sha}` },
          protected: name === "main" && isProtected(world),
        })),
      );
    },
    [`GET ${at}/branches/{branch*}`]: (call) => branch(world, call),
    [`GET ${at}/rules/branches/{branch*}`]: (call) => paged(call, rulesOf(world, call.params.branch ?? "")),
    [`GET ${at}/contents/{path*}`]: (call) => contents(world, call),
    [`GET ${at}/commits`]: async (call) => {
      const tip = await commitAt(world, call.query.get("sha") ?? "main");
      const shas = await world.store.history(tip, call.query.get("path") ?? undefined);
      return paged(call, await Promise.all(shas.map((sha) => shown(world, sha))));
    },
    [`GET ${at}/commits/{ref*}`]: async (call) => ok(await shown(world, await commitAt(world, call.params.ref ?? ""))),
    [`GET ${at}/compare/{range*}`]: (call) => compare(world, call),
    [`GET ${at}/collaborators/{login}/permission`]: (call) => {
      const login = call.params.login ?? "";
      const known = world.accounts.get(login.toLowerCase());
      if (!known) throw new Problem(404, `${login} is not a user`);
      return ok(permissionView(world, known));
    },
    [`GET ${at}/collaborators`]: (call) =>
      paged(
        call,
        world.options.people
          .filter(({ permission }) => permission !== "none")
          .map(({ login }) => ({
            ...accountView(world, accountOf(world, login)),
            ...permissionView(world, accountOf(world, login)),
          })),
      ),
  };
}

async function commitAt(world: ForgeState, name: string): Promise<string> {
  const sha = (await world.store.resolve(`refs/heads/${name}`)) ?? (await world.store.resolve(name));
  if (sha === undefined) throw new Problem(422, `No commit found for SHA: ${name}`);
  return sha;
}

async function shown(world: ForgeState, sha: string) {
  const commit = await world.store.commit(sha);
  if (!commit) throw notFound();
  return commitView(world, commit);
}

async function branch(world: ForgeState, call: Call) {
  const name = call.params.branch ?? "";
  const sha = await world.store.resolve(`refs/heads/${name}`);
  const commit = sha === undefined ? undefined : await world.store.commit(sha);
  if (!commit) throw new Problem(404, "Branch not found");
  const guarded = name === "main" && isProtected(world);
  const wanted = guarded ? world.options.requiredChecks : [];
  return ok({
    name,
    commit: commitView(world, commit),
    _links: { self: `${apiOf(world)}/branches/${name}`, html: `${pageOf(world)}/tree/${name}` },
    protected: guarded,
    protection: {
      enabled: guarded,
      required_status_checks: {
        enforcement_level: wanted.length > 0 ? "everyone" : "off",
        contexts: wanted.map(({ name }) => name),
        checks: wanted.map(({ name, appId }) => ({ context: name, app_id: appId })),
      },
    },
    protection_url: `${apiOf(world)}/branches/${name}/protection`,
  });
}

/** The rules of every ruleset that applies to a branch. */
function rulesOf({ options, settings }: ForgeState, branch: string) {
  const { owner, repo, rulesetChecks = [] } = options;
  if (branch !== "main") return [];
  const source = { ruleset_source_type: "Repository" as const, ruleset_source: `${owner}/${repo}`, ruleset_id: 1 };
  const required_status_checks = rulesetChecks.map(({ name, appId }) => ({
    context: name,
    ...(appId === undefined ? {} : { integration_id: appId }),
  }));
  const parameters = { required_status_checks, strict_required_status_checks_policy: settings.strict };
  return [
    ...(rulesetChecks.length === 0 ? [] : [{ type: "required_status_checks" as const, ...source, parameters }]),
    ...(settings.mergeQueue === "ruleset"
      ? [{ type: "merge_queue" as const, ...source, parameters: queueParameters }]
      : []),
  ] satisfies Part<components["schemas"]["repository-rule-detailed"]>[];
}

const queueParameters = {
  ...{ check_response_timeout_minutes: 60, grouping_strategy: "ALLGREEN" as const, merge_method: "SQUASH" as const },
  ...{
    max_entries_to_build: 5,
    max_entries_to_merge: 5,
    min_entries_to_merge: 1,
    min_entries_to_merge_wait_minutes: 5,
  },
};

async function contents(world: ForgeState, call: Call) {
  const path = (call.params.path ?? "").replace(/\/+$/, "");
  const ref = call.query.get("ref") ?? "main";
  const sha = (await world.store.resolve(`refs/heads/${ref}`)) ?? (await world.store.resolve(ref));
  if (sha === undefined) throw new Problem(404, `No commit found for the ref ${ref}`);
  const entries = (await world.store.tree(sha, "recursive")) ?? [];
  const view = (entry: (typeof entries)[number]) => ({
    name: entry.path.split("/").at(-1) ?? "",
    path: entry.path,
    sha: entry.sha,
    size: entry.size ?? 0,
    url: `${apiOf(world)}/contents/${entry.path}?ref=${ref}`,
    html_url: `${pageOf(world)}/blob/${ref}/${entry.path}`,
    git_url: `${apiOf(world)}/git/${entry.type}s/${entry.sha}`,
    download_url: entry.type === "blob" ? `${pageOf(world)}/raw/${ref}/${entry.path}` : null,
    type: entry.type === "tree" ? "dir" : "file",
  });
  const found = entries.find((entry) => entry.path === path);
  if (!found) throw notFound();
  if (found.type === "tree") {
    const inside = entries.filter(
      (entry) => entry.path.startsWith(`${path}/`) && !entry.path.slice(path.length + 1).includes("/"),
    );
    return ok(inside.map(view));
  }
  const blob = (await world.store.blob(found.sha)) ?? Buffer.alloc(0);
  return ok({ ...view(found), content: lined(blob), encoding: "base64" });
}

async function compare(world: ForgeState, call: Call) {
  const [from = "", to = ""] = (call.params.range ?? "").split("...");
  const known = async (name: string) =>
    (await world.store.resolve(`refs/heads/${name}`)) ?? (await world.store.resolve(name));
  const [base, head] = [await known(from), await known(to)];
  if (base === undefined || head === undefined) throw notFound();
  const [mergeBase, ahead, behind] = [
    (await world.store.mergeBase(base, head)) ?? base,
    await world.store.commitsBetween(base, head),
    await world.store.commitsBetween(head, base),
  ];
  const state =
    ahead.length > 0 ? (behind.length > 0 ? "diverged" : "ahead") : behind.length > 0 ? "behind" : "identical";
  const files = (await world.store.filesBetween(mergeBase, head)).map((file) => ({
    ...file,
    changes: file.additions + file.deletions,
  }));
  return ok({
    url: `${apiOf(world)}/compare/${from}...${to}`,
    html_url: `${pageOf(world)}/compare/${from}...${to}`,
    base_commit: await shown(world, base),
    merge_base_commit: await shown(world, mergeBase),
    status: state,
    ahead_by: ahead.length,
    behind_by: behind.length,
    total_commits: ahead.length,
    commits: await Promise.all(ahead.map((sha) => shown(world, sha))),
    files,
  });
}

function permissionView(world: ForgeState, account: Account) {
  const role = permissionOf(world, account.login);
  // GitHub folds maintain into write and triage into read.
  const permission = role === "maintain" ? "write" : role === "triage" ? "read" : role;
  return { permission, role_name: role, user: accountView(world, account) } satisfies Part<
    components["schemas"]["repository-collaborator-permission"]
  >;
}
