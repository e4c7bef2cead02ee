import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openMirror } from "../../../src/adapters/git-mirror.ts";
import type { Proposal, ProposalDraft } from "../../../src/domain/proposal/pull-request.ts";
import { checkName, readTrailer, stickyMarker } from "../../../src/domain/proposal/pull-request.ts";
import type { Fault } from "../../../src/lab/forge/forge.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";
import { type Session, aDraft, app, ci, connect, startShop } from "../../lab/forge-shop.ts";

type Shop = Awaited<ReturnType<typeof startShop>>;
let forge: Shop;
let session: Session;
/** How far the clock of GitHub is ahead, so that no test has to wait. */
let aheadMs = 0;

beforeAll(async () => {
  forge = await startShop({ now: () => new Date(Date.now() + aheadMs), teams: { "acme/ops": ["wim"] } });
  session = await connect(forge);
});
afterAll(() => forge.close());
afterEach(() => {
  forge.faults = undefined;
});

let count = 0;
/** A draft for an incident of its own, on a branch of its own. */
async function freshDraft(changes: Partial<ProposalDraft> = {}): Promise<ProposalDraft> {
  count += 1;
  const id = String(count).padStart(4, "0");
  return aDraft(forge, {
    incident: `${id}aaaa-0000-5000-8000-000000000000`,
    effect: `effect-${id}`,
    branch: `rectify/shop-${id}`,
    ...changes,
  });
}

function pullsOn(branch: string) {
  return forge.pulls().filter((pull) => pull.head.ref === branch || pull.head.ref.startsWith(`${branch}-`));
}

function stickies(number: number) {
  return forge.comments(number).filter((comment) => comment.body.startsWith(stickyMarker));
}

/** What must be there exactly once, however often it was tried. */
async function traces(draft: ProposalDraft, proposal: Proposal) {
  const { commits, changed_files } = await forge.pull(proposal.number);
  const checks = forge.checks(proposal.headSha).filter((check) => check.name === "rectify");
  return {
    pulls: pullsOn(draft.branch).length,
    head: (await forge.headOf(proposal.branch)) === proposal.headSha,
    commits,
    changed_files,
    comments: stickies(proposal.number).length,
    checks: checks.length,
    labels: pullsOn(draft.branch)[0]?.labels.map((label) => label.name),
  };
}

const once = {
  ...{ pulls: 1, head: true, commits: 1, changed_files: 1, comments: 1, checks: 1 },
  labels: ["rectify", "risk/low"],
};

/** Lets only the calls that fit go wrong. */
function failOn(method: string, path: RegExp, fault: Fault, times = 1): () => number {
  let seen = 0;
  forge.faults = (call) => {
    if (call.method !== method || !path.test(call.path) || seen >= times) return undefined;
    seen += 1;
    return fault;
  };
  return () => seen;
}

describe("publish", () => {
  test("opens one branch, one commit, one pull request, one comment and one check with eight calls", async () => {
    const draft = await freshDraft();
    forge.resetCalls();
    const proposal = await session.host.publish(draft);
    expect(forge.calls.map((call) => call.status)).toEqual([200, 201, 201, 201, 201, 200, 201, 201]);
    expect(await traces(draft, proposal)).toEqual(once);
    expect((await forge.files(draft.branch))["apps/web.yaml"]).toBe("replicas: 4\n");
  });

  test("the commit is the App's, carries the trailers and is signed by GitHub", async () => {
    const draft = await freshDraft();
    const { headSha } = await session.host.publish(draft);
    const { data } = await session.client.octokit.rest.git.getCommit({
      ...session.client.repository,
      commit_sha: headSha,
    });
    expect(data.verification.verified).toBe(true);
    expect(data.author.name).toBe("rectify[bot]");
    expect(readTrailer(data.message, "Incident-UID")).toBe(draft.incident);
    expect(readTrailer(data.message, "Effect")).toBe(draft.effect);
  });

  test("done twice is done once", async () => {
    const draft = await freshDraft();
    const first = await session.host.publish(draft);
    const again = await (await connect(forge)).host.publish(draft);
    expect(again).toEqual(first);
    expect(await traces(draft, again)).toEqual(once);
  });

  test("each write is audited before it leaves, none that a limit forbids", async () => {
    const own = await connect(forge);
    failOn("POST", /git\/commits$/, { when: "before", answer: { status: 429, headers: { "retry-after": "30" } } });
    const draft = await freshDraft();
    await expect(own.host.publish(draft)).rejects.toBeInstanceOf(Unavailable);
    await expect(own.host.publish(draft)).rejects.toBeInstanceOf(Unavailable);
    expect(own.audit.map(({ action }) => action)).toEqual(["create tree", "create commit"]);
  });

  const crashes = Array.from({ length: 8 }, (_, call) =>
    (["before", "after"] as const).map((when) => ({ call: call + 1, when })),
  ).flat();
  test.each(crashes)("after a crash $when the work of call $call the next try completes it", async ({ call, when }) => {
    const draft = await freshDraft();
    const begin = forge.calls.length;
    forge.faults = ({ index }) => (index - begin === call - 1 ? { when, answer: "drop" } : undefined);
    await expect(session.host.publish(draft)).rejects.toBeInstanceOf(Unavailable);
    forge.faults = undefined;
    const proposal = await (await connect(forge)).host.publish(draft);
    expect(await traces(draft, proposal)).toEqual(once);
  });

  test("an answer that comes after the deadline is a lost answer", async () => {
    const hasty = await connect(forge, 250);
    failOn("POST", /\/pulls$/, { when: "after", answer: "none", delayMs: 2_000 });
    const draft = await freshDraft();
    const from = forge.calls.length;
    const isAsked = () =>
      forge.calls.slice(from).some(({ method, path }) => method === "POST" && /\/pulls$/.test(path));
    // On a busy machine an earlier answer may be lost, too.
    do await expect(hasty.host.publish(draft)).rejects.toBeInstanceOf(Unavailable);
    while (!isAsked());
    const proposal = await session.host.publish(draft);
    expect(await traces(draft, proposal)).toEqual(once);
  });

  test("a branch of that name with other content is left alone", async () => {
    const draft = await freshDraft();
    const theirs = await forge.push(
      { "notes.txt": "mine\n" },
      { message: "notes", author: "wim", branch: draft.branch },
    );
    const proposal = await session.host.publish(draft);
    expect(proposal.branch).toBe(`${draft.branch}-${draft.incident.slice(0, 8)}`);
    expect(await forge.headOf(draft.branch)).toBe(theirs);
    expect(await session.host.publish(draft)).toEqual(proposal);
    expect(pullsOn(draft.branch)).toHaveLength(1);
    const body = pullsOn(draft.branch)[0]?.body ?? "";
    expect(body).toContain(`The branch \`${draft.branch}\` holds commits of others`);
  });

  test("a branch whose commit only copies our trailers is left alone", async () => {
    const draft = await freshDraft();
    const message = draft.commitMessage;
    const theirs = await forge.push(
      { "apps/web.yaml": "replicas: 90\n" },
      { message, author: "wim", branch: draft.branch },
    );
    const proposal = await session.host.publish(draft);
    expect(proposal.branch).not.toBe(draft.branch);
    expect(await forge.headOf(draft.branch)).toBe(theirs);
  });

  test("a person's pull request with our text is not ours", async () => {
    const draft = await freshDraft();
    await forge.push({ "apps/web.yaml": "replicas: 90\n" }, { message: "hm", author: "wim", branch: draft.branch });
    const theirs = await forge.openPull("wim", { title: draft.title, body: draft.body, head: draft.branch });
    const proposal = await session.host.publish(draft);
    expect(proposal.number).not.toBe(theirs);
    expect((await forge.files(proposal.branch))["apps/web.yaml"]).toBe("replicas: 4\n");
  });

  test("an open proposal of another incident stops a second one for the same workload", async () => {
    const draft = await freshDraft();
    await session.host.publish(draft);
    const other = await freshDraft({ branch: draft.branch });
    await expect(session.host.publish(other)).rejects.toBeInstanceOf(Refused);
    expect(pullsOn(draft.branch)).toHaveLength(1);
  });

  test("a changed plan goes on top of the branch and gets a check of its own", async () => {
    const draft = await freshDraft();
    const first = await session.host.publish(draft);
    const effect = `${draft.effect}-changed`;
    const changed = {
      ...draft,
      effect,
      title: "Scale shop/web to 6",
      body: draft.body.replace(draft.effect, effect),
      files: [{ path: "apps/web.yaml", content: "replicas: 6\n" }],
    };
    const second = await session.host.publish(changed);
    expect(second.number).toBe(first.number);
    expect(second.headSha).not.toBe(first.headSha);
    expect(await forge.headOf(draft.branch)).toBe(second.headSha);
    expect(forge.checks(second.headSha)).toHaveLength(1);
    const pull = await forge.pull(first.number);
    expect([pull.title, pull.body, pull.commits]).toEqual([changed.title, changed.body, 2]);
    expect(await session.host.publish(changed)).toEqual(second);
    expect(stickies(first.number)).toHaveLength(1);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    "a crash at call %i of a changed plan leaves one commit for it",
    async (at) => {
      const draft = await freshDraft();
      await session.host.publish(draft);
      const effect = `${draft.effect}-changed`;
      const body = draft.body.replace(draft.effect, effect);
      const changed = { ...draft, effect, body, files: [{ path: "apps/web.yaml", content: "replicas: 6\n" }] };
      const begin = forge.calls.length;
      forge.faults = ({ index }) => (index - begin === at ? { when: "after", answer: "drop" } : undefined);
      await expect(session.host.publish(changed)).rejects.toBeInstanceOf(Unavailable);
      forge.faults = undefined;
      const proposal = await (await connect(forge)).host.publish(changed);
      expect(await traces(changed, proposal)).toEqual({ ...once, commits: 2 });
      expect((await forge.pull(proposal.number)).body).toBe(body);
    },
  );

  test("a post-mortem rendered anew by the next try makes no second commit", async () => {
    const draft = await freshDraft();
    const withProse = (at: string) => ({
      ...draft,
      files: [...draft.files, { path: `postmortems/${draft.incident}.md`, content: `written at ${at}\n` }],
    });
    const begin = forge.calls.length;
    forge.faults = ({ index }) => (index - begin === 3 ? { when: "after", answer: "drop" } : undefined);
    await expect(session.host.publish(withProse("ten"))).rejects.toBeInstanceOf(Unavailable);
    forge.faults = undefined;
    const proposal = await session.host.publish(withProse("eleven"));
    expect(await session.host.publish(withProse("twelve"))).toEqual(proposal);
    expect(await traces(draft, proposal)).toEqual({ ...once, changed_files: 2 });
  });

  test.each([
    ["another number in the manifest", { "apps/web.yaml": "replicas: 90\n" }],
    ["another file", { "apps/web.yaml": "replicas: 4\n", "apps/extra.yaml": "replicas: 1\n" }],
  ])("a commit that looks like ours but holds %s is not taken for the plan", async (_, files) => {
    const draft = await freshDraft();
    const ours = await session.host.publish(draft);
    const { octokit, repository } = session.client;
    // Written with the App's own name, as a leaked token could.
    const entries = Object.entries(files).map(([path, content]) => ({ path, content, mode: "100644" as const }));
    const base = await session.mirror.treeId(draft.baseSha);
    const tree = await octokit.rest.git.createTree({ ...repository, base_tree: base, tree: entries });
    const forged = { ...repository, message: draft.commitMessage, tree: tree.data.sha, parents: [ours.headSha] };
    const { sha } = (await octokit.rest.git.createCommit(forged)).data;
    await octokit.rest.git.updateRef({ ...repository, ref: `heads/${draft.branch}`, sha });
    const again = await session.host.publish(draft);
    expect(again.headSha).not.toBe(sha);
    expect(await forge.headOf(draft.branch)).toBe(again.headSha);
    const held = await forge.files(draft.branch);
    expect([held["apps/web.yaml"], held["apps/extra.yaml"]]).toEqual(["replicas: 4\n", undefined]);
  });

  test("a plan on a newer base does not show the base's changes as its own", async () => {
    const draft = await freshDraft();
    await session.host.publish(draft);
    await forge.push({ [`docs/${count}.md`]: "news\n" }, { message: "news", author: "ada" });
    const effect = `${draft.effect}-again`;
    const again = await aDraft(forge, { ...draft, effect, baseSha: (await forge.headOf("main")) ?? "" });
    const proposal = await session.host.publish({ ...again, body: draft.body.replace(draft.effect, effect) });
    expect((await forge.pull(proposal.number)).changed_files).toBe(1);
    expect(await forge.files(draft.branch)).toHaveProperty([`docs/${count}.md`]);
  });
});

describe("a person pushed to our branch", () => {
  async function pushedOn(draft: ProposalDraft) {
    const ours = await session.host.publish(draft);
    const theirs = await forge.push(
      { "apps/web.yaml": "replicas: 5\n" },
      { message: "rather five", author: "wim", branch: draft.branch },
    );
    return { ours, theirs };
  }

  test("their commit stays, gets no verdict of ours and is not what we go on with", async () => {
    const draft = await freshDraft();
    const { ours, theirs } = await pushedOn(draft);
    const again = await session.host.publish({ ...draft, effect: "another" });
    expect(again.headSha).toBe(ours.headSha);
    expect(await forge.headOf(draft.branch)).toBe(theirs);
    expect(forge.checks(theirs)).toEqual([]);
    expect(stickies(ours.number)).toHaveLength(1);
  });

  test("it is not merged, even if its checks pass", async () => {
    const { ours, theirs } = await pushedOn(await freshDraft());
    await forge.reportCheck({ sha: theirs, name: "ci", appId: ci, conclusion: "success" });
    expect((await session.host.look(ours)).headSha).toBe(theirs);
    expect((await session.host.merge(ours)).kind).toBe("moved");
    expect((await forge.pull(ours.number)).state).toBe("open");
  });

  test("closing keeps their commit", async () => {
    const draft = await freshDraft();
    const { ours, theirs } = await pushedOn(draft);
    await session.host.close(ours);
    expect((await forge.pull(ours.number)).state).toBe("closed");
    expect(await forge.headOf(draft.branch)).toBe(theirs);
  });

  test("a push between our look and our own commit is not overwritten", async () => {
    const draft = await freshDraft();
    const ours = await session.host.publish(draft);
    let theirs: Promise<string> | undefined;
    forge.faults = (call) => {
      if (call.method !== "POST" || !call.path.endsWith("/git/commits") || theirs) return undefined;
      theirs = forge.push({ "notes.txt": "x\n" }, { message: "notes", author: "wim", branch: draft.branch });
      return { when: "before", answer: "none", delayMs: 200 };
    };
    const changed = { ...draft, effect: "changed", files: [{ path: "apps/web.yaml", content: "replicas: 6\n" }] };
    await expect(session.host.publish(changed)).rejects.toBeInstanceOf(Unavailable);
    forge.faults = undefined;
    const again = await session.host.publish(changed);
    expect(again.headSha).toBe(ours.headSha);
    expect(await forge.headOf(draft.branch)).toBe(await theirs);
  });
});

describe("merge", () => {
  async function published(changes: Partial<ProposalDraft> = {}) {
    return session.host.publish(await freshDraft(changes));
  }
  async function withGreenCheck(changes: Partial<ProposalDraft> = {}) {
    const proposal = await published(changes);
    await forge.reportCheck({ sha: proposal.headSha, name: "ci", appId: ci, conclusion: "success" });
    return proposal;
  }
  const onFile = () => ({ files: [{ path: `apps/own-${count}.yaml`, content: "replicas: 1\n" }] });

  test("squashes the proposal onto main with its trailers, and deletes the branch", async () => {
    const proposal = await withGreenCheck(onFile());
    const answer = await session.host.merge(proposal);
    expect(answer).toEqual({ kind: "merged", sha: await forge.headOf("main") });
    expect(await forge.files("main")).toHaveProperty([proposal.files[0] ?? ""]);
    expect(await forge.headOf(proposal.branch)).toBeUndefined();
    const { sha, message } = await lastCommit();
    expect(message.split("\n")[0]).toBe(`Scale shop/web to 4 (#${proposal.number})`);
    expect(readTrailer(message, "Effect")).toBe(proposal.effect);
    expect(await session.host.contains(sha, proposal.headSha)).toBe(false);
    expect((await session.host.look(proposal)).mergedSha).toBe(sha);
  });

  async function lastCommit() {
    const sha = (await forge.headOf("main")) ?? "";
    const { data } = await session.client.octokit.rest.git.getCommit({ ...session.client.repository, commit_sha: sha });
    return data;
  }

  test.each(["before", "after"] as const)(
    "with the answer lost %s the work, a repeat finds one merge",
    async (when) => {
      const proposal = await withGreenCheck(onFile());
      const before = await forge.headOf("main");
      failOn("PUT", /merge$/, { when, answer: "drop" });
      await expect(session.host.merge(proposal)).rejects.toBeInstanceOf(Unavailable);
      const answer = await (await connect(forge)).host.merge(proposal);
      expect(answer).toEqual({ kind: "merged", sha: await forge.headOf("main") });
      expect((await lastCommit()).parents.map((parent) => parent.sha)).toEqual([before]);
      expect(await forge.headOf(proposal.branch)).toBeUndefined();
    },
  );

  const refusals: {
    readonly state: string;
    readonly make: (proposal: Proposal) => Promise<unknown>;
    readonly kind: string;
    readonly because: RegExp;
  }[] = [
    { state: "no check yet", make: async () => undefined, kind: "not-yet", because: /ci.*expected/ },
    {
      state: "the check is running",
      make: ({ headSha: sha }) => forge.reportCheck({ sha, name: "ci", appId: ci }),
      kind: "not-yet",
      because: /ci.*in progress/,
    },
    {
      state: "the check failed",
      make: ({ headSha: sha }) => forge.reportCheck({ sha, name: "ci", appId: ci, conclusion: "failure" }),
      kind: "not-yet",
      because: /ci.*failing/,
    },
    {
      state: "the check is another App's",
      make: ({ headSha: sha }) => forge.reportCheck({ sha, name: "ci", appId: 1, conclusion: "success" }),
      kind: "not-yet",
      because: /ci.*expected/,
    },
    {
      state: "the head moved",
      make: ({ branch }) => forge.push({ "x.txt": "x" }, { message: "x", author: "wim", branch }),
      kind: "moved",
      because: /Head branch was modified/,
    },
    {
      state: "a person closed it",
      make: ({ number }) => forge.closeBy("wim", number),
      kind: "not-yet",
      because: /not mergeable/,
    },
  ];
  test.each(refusals)("is refused while $state", async ({ make, kind, because }) => {
    const proposal = await published(onFile());
    await make(proposal);
    const main = await forge.headOf("main");
    const answer = await session.host.merge(proposal);
    expect(answer).toEqual({ kind, because: expect.stringMatching(because) });
    expect(await forge.headOf("main")).toBe(main);
  });

  test("conflicting lines are a state of the proposal", async () => {
    const proposal = await withGreenCheck();
    await forge.push({ "apps/web.yaml": "replicas: 3\n" }, { message: "three", author: "ada" });
    expect((await session.host.look(proposal)).conflicting).toBeUndefined();
    expect((await session.host.look(proposal)).conflicting).toBe(true);
    expect((await session.host.merge(proposal)).kind).toBe("not-yet");
    await forge.push({ "apps/web.yaml": "replicas: 2\n" }, { message: "two", author: "ada" });
  });

  test("a branch that may not be deleted does not undo the merge", async () => {
    const proposal = await withGreenCheck(onFile());
    failOn("DELETE", /refs/, { when: "before", answer: { status: 403, message: "Cannot delete this branch" } });
    expect((await session.host.merge(proposal)).kind).toBe("merged");
    expect(await forge.headOf(proposal.branch)).toBe(proposal.headSha);
  });

  test("a merge by a person is found", async () => {
    const proposal = await withGreenCheck(onFile());
    const sha = await forge.mergeBy("ada", proposal.number);
    expect(await session.host.merge(proposal)).toEqual({ kind: "merged", sha });
    expect(await session.host.look(proposal)).toMatchObject({ state: "merged", mergedSha: sha });
  });

  test.each([
    ["missing", undefined, "pending"],
    ["success", "success", "passed"],
    ["neutral", "neutral", "failed"],
    ["skipped", "skipped", "failed"],
    ["failure", "failure", "failed"],
  ] as const)("a required check that is %s has not more than that", async (_, conclusion, state) => {
    const proposal = await published(onFile());
    const about = { sha: proposal.headSha, name: "ci" };
    if (conclusion !== undefined) await forge.reportCheck({ ...about, appId: ci, conclusion });
    await forge.reportCheck({ ...about, appId: 1, conclusion: "success" });
    expect((await session.host.look(proposal)).requiredChecks).toMatchObject([{ name: "ci", state }]);
  });

  test("a green check that runs again is pending", async () => {
    const proposal = await withGreenCheck(onFile());
    await forge.reportCheck({ sha: proposal.headSha, name: "ci", appId: ci });
    expect((await session.host.look(proposal)).requiredChecks).toMatchObject([{ name: "ci", state: "pending" }]);
  });
});

describe("report", () => {
  test("keeps one comment, also after a restart, and says nothing twice", async () => {
    const proposal = await session.host.publish(await freshDraft());
    await session.host.report(proposal, "one");
    const writes = forge.calls.length;
    await session.host.report(proposal, "one");
    expect(forge.calls.length).toBe(writes);
    await (await connect(forge)).host.report(proposal, "two");
    expect(stickies(proposal.number).map((comment) => comment.body)).toEqual([`${stickyMarker}\ntwo`]);
  });

  test("a person's comment with our marker is not ours", async () => {
    const proposal = await session.host.publish(await freshDraft());
    for (const own of stickies(proposal.number)) await forge.deleteComment(own.id);
    const theirs = await forge.comment(proposal.number, "wim", `${stickyMarker}\nmine`);
    await (await connect(forge)).host.report(proposal, "ours");
    expect(stickies(proposal.number).map(({ id, body }) => [id === theirs, body])).toEqual([
      [true, `${stickyMarker}\nmine`],
      [false, `${stickyMarker}\nours`],
    ]);
  });

  test("a deleted comment is written anew", async () => {
    const proposal = await session.host.publish(await freshDraft());
    await session.host.report(proposal, "one");
    for (const own of stickies(proposal.number)) await forge.deleteComment(own.id);
    await session.host.report(proposal, "two");
    expect(stickies(proposal.number)).toHaveLength(1);
  });
});

describe("our check once it is decided", () => {
  const checkOn = (sha: string) => forge.checks(sha).filter(({ name }) => name === checkName);

  test("its title says what became of the proposal; verdict and text stay", async () => {
    const proposal = await session.host.publish(await freshDraft());
    const [before] = checkOn(proposal.headSha);
    await session.host.report(proposal, "done", "Merged: alice approved it");
    const [after, ...more] = checkOn(proposal.headSha);
    expect(more).toEqual([]);
    expect(after?.output?.title).toBe("Merged: alice approved it");
    expect([after?.conclusion, after?.output?.summary]).toEqual([before?.conclusion, before?.output?.summary]);
    expect(session.audit.at(-1)?.action).toBe("update check run");
  });

  test("shows no control and no bidirectional character, at first and when it is settled", async () => {
    const draft = await freshDraft();
    const check = { ...draft.check, title: "low\u202e risk\u0007", summary: "all\u2066 passed\u001b[31m" };
    const proposal = await session.host.publish({ ...draft, check });
    const shown = () => checkOn(proposal.headSha)[0]?.output;
    expect(shown()).toMatchObject({ title: "low risk", summary: "all passed[31m" });
    await session.host.report(proposal, "done", "Merged:\u202e alice\u0007");
    expect(shown()?.title).toBe("Merged: alice");
  });

  test("is known to the next try, too", async () => {
    const draft = await freshDraft();
    const { checkRun, headSha } = await session.host.publish(draft);
    expect(checkRun?.id).toBe(checkOn(headSha)[0]?.id);
    expect((await (await connect(forge)).host.publish(draft)).checkRun).toEqual(checkRun);
  });

  test("a title that GitHub refuses, or a record without a check, ends nothing", async () => {
    const { checkRun, ...older } = await session.host.publish(await freshDraft());
    forge.resetCalls();
    await session.host.report(older, "done", "Merged");
    expect(forge.calls.map(({ method, path }) => [method, path.includes("/comments/")])).toEqual([["PATCH", true]]);
    failOn("PATCH", /check-runs/, { when: "before", answer: { status: 403, message: "Resource not accessible" } });
    await session.host.report({ ...older, checkRun }, "done", "Merged");
    expect(checkOn(older.headSha)[0]?.output?.title).not.toBe("Merged");
  });
});

describe("close", () => {
  test("closes, deletes the branch, and can be repeated", async () => {
    const proposal = await session.host.publish(await freshDraft());
    failOn("DELETE", /refs/, { when: "after", answer: { status: 502 } });
    await expect(session.host.close(proposal)).rejects.toBeInstanceOf(Unavailable);
    await session.host.close(proposal);
    expect((await session.host.look(proposal)).state).toBe("closed");
    expect(await forge.headOf(proposal.branch)).toBeUndefined();
  });

  test("what was closed is not opened again for the same effect", async () => {
    const draft = await freshDraft();
    const proposal = await session.host.publish(draft);
    await forge.closeBy("ada", proposal.number);
    const writes = session.audit.length;
    expect((await session.host.publish(draft)).number).toBe(proposal.number);
    expect(session.audit.length).toBe(writes);
    expect((await session.host.look(proposal)).state).toBe("closed");
  });
});

describe("when GitHub says stop", () => {
  const limits: { readonly name: string; readonly fault: Fault; readonly atLeastMs: number }[] = [
    {
      name: "a secondary limit with retry-after",
      fault: {
        when: "before",
        answer: { status: 403, headers: { "retry-after": "20" }, message: "secondary rate limit" },
      },
      atLeastMs: 19_000,
    },
    {
      name: "a secondary limit without any header",
      fault: { when: "before", answer: { status: 403, message: "You have exceeded a secondary rate limit." } },
      atLeastMs: 59_000,
    },
    {
      name: "an exhausted hour",
      // From the moment on that it is met: on a busy machine that may be minutes after this file was read.
      get fault() {
        const reset = String(Math.ceil(Date.now() / 1000) + 600);
        const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
        return { when: "before" as const, answer: { status: 403, headers } };
      },
      atLeastMs: 500_000,
    },
  ];
  test.each(limits)("$name: nothing leaves before the time is up", async ({ fault, atLeastMs }) => {
    const own = await connect(forge);
    const [one, two] = [await freshDraft(), await freshDraft()];
    failOn("POST", /git\/trees$/, fault);
    const refused = await own.host.publish(one).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Unavailable);
    expect((refused as Unavailable).retryAfterMs).toBeGreaterThan(atLeastMs);
    const calls = forge.calls.length;
    await expect(own.host.publish(one)).rejects.toBeInstanceOf(Unavailable);
    await expect(own.host.publish(two)).rejects.toBeInstanceOf(Unavailable);
    expect(forge.calls.length).toBe(calls);
  });

  test.each([500, 502, 503, 504])("%i may pass", async (status) => {
    failOn("POST", /\/pulls$/, { when: "before", answer: { status } });
    await expect(session.host.publish(await freshDraft())).rejects.toBeInstanceOf(Unavailable);
  });

  test("403 and 422 without a limit are a clear no", async () => {
    for (const status of [403, 422]) {
      failOn("POST", /\/pulls$/, { when: "before", answer: { status, message: "Resource not accessible" } });
      await expect(session.host.publish(await freshDraft())).rejects.toBeInstanceOf(Refused);
    }
  });

  test("a token that was revoked is renewed once, by reads and writes that fail together, too", async () => {
    const proposal = await session.host.publish(await freshDraft());
    forge.revokeTokens();
    forge.resetCalls();
    expect(await Promise.all(["ada", "wim"].map((login) => session.people.permissionOf(login)))).toEqual([
      ...["admin", "write"],
    ]);
    forge.revokeTokens();
    await session.host.report(proposal, "again");
    expect(forge.calls.filter(({ path }) => path.endsWith("/access_tokens"))).toHaveLength(2);
  });

  test("where a new token is no better the answer is no answer, and its text shows none", async () => {
    failOn(
      "GET",
      /\/collaborators\//,
      { when: "before", answer: { status: 401, message: "Bad credentials ghs_x1" } },
      9,
    );
    const error = await session.people.permissionOf("ada").catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(Unavailable);
    expect(String(error)).not.toMatch(/ghs_/);
  });

  test.each([
    ["pull request", /\/pulls$/],
    ["branch", /\/git\/refs$/],
  ])("a %s that GitHub made and did not tell of, and does not list yet, is still ours", async (what, posted) => {
    let now = 0;
    const own = await connect(forge, undefined, () => now);
    const draft = await freshDraft();
    failOn("POST", posted, { when: "after", answer: { status: 502 } });
    await expect(own.host.publish(draft)).rejects.toBeInstanceOf(Unavailable);

    const lags = {
      pull: { method: "GET", path: /\/pulls$/, answer: { status: 200, body: [] } },
      branch: { method: "GET", path: /\/git\/ref\//, answer: { status: 404 } },
    }[what === "branch" ? "branch" : "pull"];
    failOn(lags.method, lags.path, { when: "before", answer: lags.answer }, 20);
    for (const waited of [0, 60_000, 119_000]) {
      now = waited;
      await expect(own.host.publish(draft)).rejects.toMatchObject({ name: "Unavailable", retryAfterMs: 5_000 });
    }
    forge.faults = undefined;
    const proposal = await own.host.publish(draft);
    expect(await traces(draft, proposal)).toEqual(once);
  });

  test.each([
    ["comment", /\/comments$/, []],
    ["check", /\/check-runs$/, { total_count: 0, check_runs: [] }],
  ])("a %s that GitHub made and did not tell of, and does not list yet, is not made again", async (_, path, none) => {
    let now = 0;
    const own = await connect(forge, undefined, () => now);
    const draft = await freshDraft();
    failOn("POST", path, { when: "after", answer: { status: 502 } });
    await expect(own.host.publish(draft)).rejects.toBeInstanceOf(Unavailable);

    failOn("GET", path, { when: "before", answer: { status: 200, body: none } }, 20);
    for (const waited of [0, 29_000]) {
      now = waited;
      await expect(own.host.publish(draft)).rejects.toMatchObject({ name: "Unavailable", retryAfterMs: 5_000 });
    }
    forge.faults = undefined;
    const proposal = await own.host.publish(draft);
    expect(await traces(draft, proposal)).toEqual(once);
  });

  test("what GitHub refused to make, or made and lost, is made again", async () => {
    let now = 0;
    const own = await connect(forge, undefined, () => now);
    const draft = await freshDraft();
    failOn("POST", /\/comments$/, { when: "before", answer: { status: 403 } });
    await expect(own.host.publish(draft)).rejects.toBeInstanceOf(Refused);
    failOn("POST", /\/comments$/, { when: "before", answer: { status: 502 } });
    await expect(own.host.publish(draft)).rejects.toBeInstanceOf(Unavailable);
    forge.faults = undefined;
    now = 31_000;
    expect(await traces(draft, await own.host.publish(draft))).toEqual(once);
  });

  test("what stays unseen for two minutes is somebody else's", async () => {
    let now = 0;
    const own = await connect(forge, undefined, () => now);
    const draft = await freshDraft();
    await own.host.publish(draft);
    failOn("GET", /\/pulls$/, { when: "before", answer: { status: 200, body: [] } }, 20);
    await expect(own.host.publish(draft)).rejects.toBeInstanceOf(Unavailable);
    now = 121_000;
    await expect(own.host.publish(draft)).rejects.toBeInstanceOf(Refused);
  });
});

describe("people", () => {
  test.each([
    ["ada", "admin"],
    ["max", "maintain"],
    ["wim", "write"],
    ["tia", "triage"],
    ["rob", "read"],
    ["nan", "none"],
    ["nobody-knows", "none"],
  ])("%s may %s", async (login, permission) => {
    expect(await session.people.permissionOf(login)).toBe(permission);
  });

  test.each([403, 304, 410, 451])(
    "a question about a person that GitHub answers with %i is open, and no no",
    async (status) => {
      const proposal = await session.host.publish(await freshDraft());
      const id = await forge.comment(proposal.number, "wim", "/hold");
      const answer = { status, message: "Resource not accessible" };
      failOn("GET", /collaborators|memberships|commits$|issues\/comments/, { when: "before", answer }, 9);
      expect(await session.people.permissionOf("wim")).toBeUndefined();
      expect(await session.people.teamsOf("wim", ["acme/ops"])).toBeUndefined();
      expect(await session.people.committersOf(proposal)).toBeUndefined();
      expect(await session.people.comment(id)).toBe("untold");
      failOn("POST", /reactions$/, { when: "before", answer });
      await session.people.react(id, "+1");
    },
  );

  test("teams are asked live", async () => {
    expect(await session.people.teamsOf("wim", ["acme/ops", "acme/dev"])).toEqual(["acme/ops"]);
    expect(await session.people.teamsOf("ada", ["acme/ops"])).toEqual([]);
  });

  test("a comment is told as it stands now: edited, deleted, by a person or not", async () => {
    const proposal = await session.host.publish(await freshDraft());
    const id = await forge.comment(proposal.number, "wim", "looks good");
    expect(await session.people.comment(id)).toMatchObject({
      ...{ id, proposal: proposal.number, author: "wim", byPerson: true, body: "looks good", edited: false },
    });
    aheadMs += 60_000;
    await forge.editComment(id, "/approve-scale");
    expect(await session.people.comment(id)).toMatchObject({ body: "/approve-scale", edited: true });
    await forge.deleteComment(id);
    expect(await session.people.comment(id)).toBeUndefined();
    const [own] = stickies(proposal.number);
    expect(await session.people.comment(own?.id ?? 0)).toMatchObject({ author: `${app.slug}[bot]`, byPerson: false });
  });

  test("all comments are read, however many there are", async () => {
    const proposal = await session.host.publish(await freshDraft());
    for (let n = 0; n < 130; n += 1) await forge.comment(proposal.number, "wim", `number ${n}`);
    const heard = (await session.people.commentsOn(proposal)).filter(({ author }) => author === "wim");
    expect(heard.map(({ body }) => body)).toEqual(Array.from({ length: 130 }, (_, n) => `number ${n}`));
  });

  test("a flood hides no command behind it, under the proposal or in the repository", async () => {
    const proposal = await session.host.publish(await freshDraft());
    const since = new Date(Date.now() - 1000);
    for (let n = 0; n < 1_000; n += 1) await forge.comment(proposal.number, "wim", "noise");
    await forge.comment(proposal.number, "ada", "/reject");
    const { commentsOn, commentsSince } = session.people;
    for (const comments of [await commentsOn(proposal), await commentsSince(since)]) {
      expect(comments.filter(({ author }) => author === "ada").map(({ body }) => body)).toEqual(["/reject"]);
    }
  });

  test("the committers of a proposal are all who wrote to its branch", async () => {
    const draft = await freshDraft();
    const proposal = await session.host.publish(draft);
    await forge.push({ "x.txt": "x" }, { message: "x", author: "wim", branch: draft.branch });
    expect(await session.people.committersOf(proposal)).toEqual(expect.arrayContaining(["rectify[bot]", "wim"]));
  });

  test("a reaction is given once, and a deleted comment needs none", async () => {
    const proposal = await session.host.publish(await freshDraft());
    const id = await forge.comment(proposal.number, "wim", "/hold");
    await session.people.react(id, "eyes");
    await session.people.react(id, "eyes");
    const query = { ...session.client.repository, comment_id: id };
    const { data } = await session.client.octokit.rest.reactions.listForIssueComment(query);
    expect(data.map((reaction) => [reaction.content, reaction.user?.login])).toEqual([["eyes", "rectify[bot]"]]);
    await forge.deleteComment(id);
    await session.people.react(id, "eyes");
  });
});

describe("the mirror", () => {
  test("tells what a commit contains, also of commits that it has not seen yet", async () => {
    const before = (await forge.headOf("main")) ?? "";
    const after = await forge.push({ "mirror.txt": "1\n" }, { message: "one", author: "ada" });
    expect(await session.host.contains(after, before)).toBe(true);
    expect(await session.host.contains(before, after)).toBe(false);
    expect(await session.host.contains(before, "0".repeat(40))).toBe(false);
    expect(await session.host.contains("main@sha1:x", before)).toBe(false);
    expect(await session.host.contains("--help", before)).toBe(false);
  });

  test("reads the files of older commits, byte for byte, whatever .gitattributes say", async () => {
    const text = "a\r\nb\n";
    const files = { "crlf.yaml": text, ".gitattributes": "* text eol=lf\n*.yaml ident\n" };
    const sha = await forge.push(files, { message: "crlf", author: "ada" });
    await forge.push({ "crlf.yaml": "other\n" }, { message: "other", author: "ada" });
    expect(Buffer.from((await session.host.at(sha)).read("crlf.yaml") ?? []).toString()).toBe(text);
    const { tree } = await session.host.head();
    expect(Buffer.from(tree.read("crlf.yaml") ?? []).toString()).toBe("other\n");
    expect(tree.read("../outside")).toBeUndefined();
    await forge.push({ ".gitattributes": null, "crlf.yaml": null }, { message: "clean", author: "ada" });
  });

  test("goes on after a crash that left its locks behind", async () => {
    const sha = await forge.push({ "mirror.txt": "2\n" }, { message: "two", author: "ada" });
    const mirror = join(forge.place, "mirror");
    mkdirSync(join(mirror, "trees", sha), { recursive: true });
    writeFileSync(join(mirror, "trees", sha, "half.txt"), "half");
    for (const lock of ["refs/rectify/head.lock", `trees/${sha}.index.lock`]) writeFileSync(join(mirror, lock), "");
    const { tree } = await (await connect(forge)).host.head();
    expect(Buffer.from(tree.read("mirror.txt") ?? []).toString()).toBe("2\n");
    expect(tree.paths()).not.toContain("half.txt");
  });

  test("says that the host is out of reach, without the token", async () => {
    const mirror = openMirror({
      ...{ directory: join(forge.place, "lost"), url: "http://127.0.0.1:1/acme/shop.git" },
      authorization: async () => "Basic c2VjcmV0",
    });
    const error = await mirror.head().catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Unavailable);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/c2VjcmV0/);
  });
});

describe("connecting", () => {
  test("a repository without the App is refused with the reason", async () => {
    const elsewhere = await startShop({ owner: "other" });
    await expect(connect(elsewhere)).rejects.toThrow(/the App is not installed on acme\/shop/);
    await elsewhere.close();
  });
});
