import { moveBranch } from "./branches.ts";
import type { TreeChange } from "../git/git-store.ts";
import { isObjectId, isPlainName } from "../git/git-store.ts";
import type { Call, Routes } from "../http.ts";
import { Problem, created, invalid, notFound, ok, requiredText } from "../http.ts";
import type { ForgeState } from "../world.ts";
import { signatureOf, webFlow } from "../world.ts";
import { gitCommitView } from "./commit-views.ts";
import { apiOf } from "./views.ts";

/** The Git database: refs, commits, trees, blobs. */
export function gitDataRoutes(world: ForgeState): Routes {
  const at = "/repos/{owner}/{repo}/git";
  return {
    [`GET ${at}/ref/{ref*}`]: async (call) => ok(refView(world, await refOf(world, call))),
    [`GET ${at}/matching-refs/{ref*}`]: async (call) => {
      const refs = await world.store.refs(`refs/${call.params.ref}`);
      return ok(refs.map((one) => refView(world, one)));
    },
    [`POST ${at}/refs`]: (call) => createRef(world, call),
    [`PATCH ${at}/refs/{ref*}`]: (call) => updateRef(world, call),
    [`DELETE ${at}/refs/{ref*}`]: (call) => deleteRef(world, call),
    [`POST ${at}/commits`]: (call) => createCommit(world, call),
    [`GET ${at}/commits/{sha}`]: async (call) => {
      const commit = await world.store.commit(call.params.sha ?? "");
      if (!commit) throw notFound();
      return ok(gitCommitView(world, commit));
    },
    [`POST ${at}/trees`]: (call) => createTree(world, call),
    [`GET ${at}/trees/{sha*}`]: async (call) => {
      const recursive = call.query.has("recursive");
      return ok(await treeView(world, call.params.sha ?? "", recursive ? "recursive" : "flat"));
    },
    [`POST ${at}/blobs`]: async (call) => {
      const encoding = call.body.encoding === "base64" ? "base64" : "utf8";
      const sha = await world.store.writeBlob(Buffer.from(String(call.body.content ?? ""), encoding));
      return created({ sha, url: `${apiOf(world)}/git/blobs/${sha}` });
    },
    [`GET ${at}/blobs/{sha}`]: async (call) => {
      const sha = call.params.sha ?? "";
      const blob = await world.store.blob(sha);
      if (!blob) throw notFound();
      const url = `${apiOf(world)}/git/blobs/${sha}`;
      return ok({ sha, node_id: `B_${sha}`, size: blob.length, url, content: lined(blob), encoding: "base64" });
    },
  };
}

/** Base64 as GitHub writes it: lines of sixty characters. */
export function lined(content: Buffer): string {
  return content.toString("base64").replace(/.{60}/g, "$&\n").concat("\n");
}

interface Ref {
  readonly ref: string;
  readonly sha: string;
}

async function refOf(world: ForgeState, call: Call): Promise<Ref> {
  const ref = `refs/${call.params.ref}`;
  const sha = await world.store.resolve(ref);
  if (sha === undefined) throw notFound();
  return { ref, sha };
}

function refView(world: ForgeState, { ref, sha }: Ref) {
  const object = { type: "commit", sha, url: `${apiOf(world)}/git/commits/${sha}` };
  return { ref, node_id: `REF_${ref}`, url: `${apiOf(world)}/git/${ref}`, object };
}

async function createRef(world: ForgeState, call: Call) {
  const ref = requiredText(call, "ref", "Reference");
  const sha = requiredText(call, "sha", "Reference");
  if (!ref.startsWith("refs/heads/") || !isPlainName(ref)) throw new Problem(422, "Reference name is not valid");
  if (!isObjectId(sha) || (await world.store.resolve(sha)) === undefined)
    throw new Problem(422, "Object does not exist");
  if ((await world.store.resolve(ref)) !== undefined) throw new Problem(422, "Reference already exists");
  await obeyRules(world, { branch: ref.slice("refs/heads/".length), sha });
  await moveBranch(world, { branch: ref.slice("refs/heads/".length), before: undefined, after: sha }, world.bot);
  return created(refView(world, { ref, sha }));
}

async function updateRef(world: ForgeState, call: Call) {
  const ref = `refs/${call.params.ref}`;
  const before = await world.store.resolve(ref);
  const after = requiredText(call, "sha", "Reference");
  if (before === undefined) throw new Problem(422, "Reference does not exist");
  if ((await world.store.resolve(after)) === undefined) throw new Problem(422, "Object does not exist");
  if (ref === "refs/heads/main" && isProtected(world))
    throw new Problem(422, "Changes must be made through a pull request.");
  if (call.body.force !== true && !(await world.store.isAncestor(before, after))) {
    throw new Problem(422, "Update is not a fast forward");
  }
  await obeyRules(world, { branch: ref.slice("refs/heads/".length), sha: after });
  await moveBranch(world, { branch: ref.slice("refs/heads/".length), before, after }, world.bot);
  return ok(refView(world, { ref, sha: after }));
}

/** Rulesets on names of branches and messages of commits; they hold when a ref is made or moved. */
async function obeyRules(world: ForgeState, { branch, sha }: { readonly branch: string; readonly sha: string }) {
  const { branchPattern, commitPattern } = world.settings;
  const broken = (what: string) => new Problem(422, `Repository rule violations found\n\n${what}\n\n`);
  if (branchPattern !== undefined && !new RegExp(branchPattern).test(branch)) {
    throw broken(`Branch name must match a given regex pattern: ${branchPattern}`);
  }
  const message = (await world.store.commit(sha))?.message ?? "";
  if (commitPattern !== undefined && !new RegExp(commitPattern).test(message)) {
    throw broken(`Commit message must match a given regex pattern: ${commitPattern}`);
  }
}

async function deleteRef(world: ForgeState, call: Call) {
  const ref = `refs/${call.params.ref}`;
  const before = await world.store.resolve(ref);
  if (before === undefined) throw new Problem(422, "Reference does not exist");
  if (ref === "refs/heads/main") throw new Problem(422, "Cannot delete this branch");
  await moveBranch(world, { branch: ref.slice("refs/heads/".length), before, after: undefined }, world.bot);
  return { status: 204 };
}

/** The default branch is protected as soon as something is required of it. */
export function isProtected(world: ForgeState): boolean {
  return world.options.requiredChecks.length > 0 || (world.options.requiredReviews ?? 0) > 0;
}

async function createCommit(world: ForgeState, call: Call) {
  const message = requiredText(call, "message", "Commit");
  const tree = requiredText(call, "tree", "Commit");
  if (!(await world.store.isTree(tree))) throw new Problem(422, "Tree SHA does not exist");
  const given: readonly unknown[] = Array.isArray(call.body.parents) ? call.body.parents : [];
  const parents = given.map(String);
  for (const parent of parents) {
    if ((await world.store.resolve(parent)) === undefined)
      throw new Problem(422, "Parent SHA does not exist or is not a commit object");
  }
  const now = world.now();
  const named = call.body.author as { name?: string; email?: string } | undefined;
  const author =
    named?.name && named.email ? { name: named.name, email: named.email, date: now } : signatureOf(world.bot, now);
  const commit = { tree, parents, message, author, committer: named ? author : webFlow(now) };
  const sha = await world.store.writeCommit(commit);
  return created(gitCommitView(world, { sha, ...commit }));
}

async function createTree(world: ForgeState, call: Call) {
  const { base_tree: base, tree } = call.body;
  if (!Array.isArray(tree)) throw invalid("Tree", "tree", { code: "missing_field" });
  // Only a tree is documented as a base; that a commit sometimes worked too is not to be relied on.
  if (base !== undefined && (typeof base !== "string" || !(await world.store.isTree(base)))) {
    throw new Problem(422, "base_tree is not a valid tree oid");
  }
  const changes: TreeChange[] = [];
  for (const entry of tree as Record<string, unknown>[]) {
    const { path, content, sha } = entry;
    const mode = String(entry.mode ?? "100644");
    if (typeof path !== "string" || path.split("/").some((part) => ["", ".", "..", ".git"].includes(part))) {
      throw new Problem(422, "tree.path contains a malformed path component");
    }
    if (typeof content === "string") changes.push({ path, mode, sha: await world.store.writeBlob(content) });
    else if (sha === null) changes.push({ path, mode, sha: undefined });
    else if (typeof sha === "string" && isObjectId(sha)) changes.push({ path, mode, sha });
    else throw new Problem(422, "Must supply either tree.sha or tree.content");
  }
  const sha = await world.store.writeTree(base, changes);
  return created(await treeView(world, sha, "flat"));
}

async function treeView(world: ForgeState, name: string, depth: "flat" | "recursive") {
  const commit = await world.store.resolve(`refs/heads/${name}`);
  const entries = await world.store.tree(commit ?? name, depth);
  if (!entries) throw notFound();
  const sha = (commit && (await world.store.commit(commit))?.tree) ?? (await world.store.commit(name))?.tree ?? name;
  const tree = entries.map(({ size, ...entry }) => ({
    ...entry,
    ...(size === undefined ? {} : { size }),
    url: `${apiOf(world)}/git/${entry.type}s/${entry.sha}`,
  }));
  return { sha, url: `${apiOf(world)}/git/trees/${sha}`, tree, truncated: false };
}
