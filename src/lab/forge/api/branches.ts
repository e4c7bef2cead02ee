import { closeIssue } from "./issues.ts";
import type { Account, ForgeState } from "../world.ts";
import { accountOf, signatureOf } from "../world.ts";
import { commitView } from "./commit-views.ts";
import { pullView, repositoryView } from "./views.ts";

const nothing = "0".repeat(40);

/** Moves, makes (`before` undefined) or deletes (`after` undefined) a branch, with all that follows on GitHub. */
export async function moveBranch(
  world: ForgeState,
  move: { readonly branch: string; readonly before: string | undefined; readonly after: string | undefined },
  sender: Account,
): Promise<void> {
  const { branch, before, after } = move;
  const ref = `refs/heads/${branch}`;
  if (after === undefined) await world.store.deleteRef(ref);
  else await world.store.updateRef(ref, after);
  await emitPush(world, move, sender);
  for (const issue of world.issues.values()) {
    const pull = issue.pull;
    if (!pull || issue.state !== "open" || pull.headRef !== branch || before === after) continue;
    if (after === undefined) {
      closeIssue(world, issue, sender);
      continue;
    }
    pull.headSha = after;
    issue.updatedAt = world.now();
    const payload = {
      action: "synchronize",
      number: issue.number,
      before,
      after,
      pull_request: pullView(world, issue, pull),
    };
    world.emit("pull_request", payload, sender);
  }
}

async function emitPush(
  world: ForgeState,
  { branch, before, after }: { branch: string; before: string | undefined; after: string | undefined },
  sender: Account,
): Promise<void> {
  const commit = after === undefined ? undefined : await world.store.commit(after);
  const shown = commit && commitView(world, commit);
  world.emit(
    "push",
    {
      ref: `refs/heads/${branch}`,
      before: before ?? nothing,
      after: after ?? nothing,
      created: before === undefined,
      deleted: after === undefined,
      forced: false,
      base_ref: null,
      compare: shown?.html_url ?? "",
      commits: shown ? [{ id: shown.sha, message: shown.commit.message, url: shown.html_url }] : [],
      head_commit: shown ? { id: shown.sha, message: shown.commit.message, url: shown.html_url } : null,
      pusher: { name: sender.login },
    },
    sender,
  );
}

/** A commit of a person, as if pushed with git. `null` removes a file. */
export interface PushOptions {
  readonly message: string;
  readonly author: string;
  /** `main` by default; a branch that does not exist starts at main. */
  readonly branch?: string;
}

/** Commits the files on top of the branch and gives the new commit's id. */
export async function pushFiles(
  world: ForgeState,
  files: Readonly<Record<string, string | null>>,
  { message, author, branch = "main" }: PushOptions,
): Promise<string> {
  const { store } = world;
  const before = await store.resolve(`refs/heads/${branch}`);
  const parent = before ?? (await store.resolve("refs/heads/main"));
  const changes = await Promise.all(
    Object.entries(files).map(async ([path, content]) => ({
      path,
      mode: "100644",
      sha: content === null ? undefined : await store.writeBlob(content),
    })),
  );
  const account = accountOf(world, author);
  const signature = signatureOf(account, world.now());
  const after = await store.writeCommit({
    tree: await store.writeTree(parent, changes),
    parents: parent === undefined ? [] : [parent],
    message,
    author: signature,
    committer: signature,
  });
  await moveBranch(world, { branch, before, after }, account);
  return after;
}

/** The repository's part of every webhook. */
export function envelopeOf(world: ForgeState): Readonly<Record<string, unknown>> {
  return { repository: repositoryView(world), installation: { id: world.installationId, node_id: "I_1" } };
}

/** The first commit of main. */
export async function pushFirst(world: ForgeState, files: Readonly<Record<string, string>>): Promise<void> {
  const changes = await Promise.all(
    Object.entries(files).map(async ([path, content]) => ({
      path,
      mode: "100644",
      sha: await world.store.writeBlob(content),
    })),
  );
  const signature = signatureOf(world.owner, world.now());
  const tree = await world.store.writeTree(undefined, changes);
  const first = { tree, parents: [], message: "Initial commit\n", author: signature, committer: signature };
  await world.store.updateRef("refs/heads/main", await world.store.writeCommit(first));
}
