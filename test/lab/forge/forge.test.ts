import { gzipSync } from "node:zlib";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startForge } from "../../../src/lab/forge/forge.ts";
import { forgeWrites } from "../../../src/lab/forge/writes.ts";
import { githubContract } from "../../contracts/github.contract.ts";
import { ci, connect, key, startShop } from "../forge-shop.ts";

githubContract("the forge keeps the promises of GitHub", async (options) => {
  const directory = mkdtempSync(join(tmpdir(), "rectify-contract-"));
  const { owner, repo, files, people, slug, webhookUrl, webhookSecret } = options;
  const forge = await startForge({
    ...{ owner, repo, files, people, directory, private: true },
    app: { id: options.appId, slug, privateKeyPem: key, webhookSecret, webhookUrl },
    requiredChecks: [{ name: "ci", appId: options.ciAppId }],
  });
  return {
    ...{ apiUrl: forge.apiUrl, owner, repo, app: { id: options.appId, slug, privateKey: key } },
    push: (branch, path, content) => forge.push({ [path]: content }, { message: `Add ${path}`, author: "wim", branch }),
    comment: forge.comment,
    editComment: (id, _, body) => forge.editComment(id, body),
    reportCheck: async (sha, conclusion) => {
      await forge.reportCheck({ sha, name: "ci", appId: options.ciAppId, conclusion });
    },
    close: async () => {
      await forge.settled();
      await forge.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
});

describe("the forge", () => {
  let forge: Awaited<ReturnType<typeof startShop>>;
  beforeAll(async () => {
    forge = await startShop({ requiredReviews: 1, teams: { "acme/ops": ["wim"] } });
    for (const one of ["Z3", "Z4"]) forge.excused.add(one);
  });
  afterAll(() => forge.close());

  const git = async (...args: string[]) => {
    const env = { PATH: process.env.PATH ?? "", HOME: forge.place, GIT_TERMINAL_PROMPT: "0" };
    const { stdout, stderr } = await promisify(execFile)("git", args, { cwd: forge.place, env, timeout: 20_000 });
    return (stdout + stderr).trim();
  };

  test("keeps a repository that git finds without fault", async () => {
    await forge.push({ "a/b/c.txt": "1\n", "a/b.txt": "2\n" }, { message: "more", author: "wim", branch: "deep" });
    await forge.push({ "a/b/c.txt": null }, { message: "less", author: "wim", branch: "deep" });
    expect(Object.keys(await forge.files("deep"))).toEqual(["README.md", "a/b.txt", "apps/web.yaml"]);
    expect(await git("--git-dir", forge.directory, "fsck", "--strict", "--full")).not.toMatch(/error|missing/);
  });

  test("a token that may only read reads, and every write with it is refused and on record", async () => {
    const reading = await startShop({ settings: { readOnly: true } });
    for (const one of ["Z3", "Z4"]) reading.excused.add(one);
    try {
      const authorization = reading.fetchAuthorization();
      const call = (method: string, path: string, body?: object) =>
        fetch(`${reading.apiUrl}/repos/acme/shop${path}`, {
          ...{ method, headers: { authorization }, ...(body ? { body: JSON.stringify(body) } : {}) },
        }).then(({ status }) => status);
      expect(await call("GET", "/branches/main")).toBe(200);
      const head = await reading.headOf("main");
      expect(await call("POST", "/issues", { title: "hello" })).toBe(403);
      expect(await call("POST", "/git/refs", { ref: "refs/heads/x", sha: head })).toBe(403);
      expect(await call("PATCH", "/git/refs/heads/main", { sha: head })).toBe(403);
      expect(await call("DELETE", "/git/refs/heads/main")).toBe(403);
      const header = `http.extraHeader=Authorization: ${authorization}`;
      await git("-c", header, "clone", "--quiet", reading.cloneUrl, "read-only");
      await expect(git("-c", header, "-C", "read-only", "push", "origin", "main:other")).rejects.toThrow(/403/);
      expect([await reading.headOf("main"), await reading.headOf("other")]).toEqual([head, undefined]);
      expect(reading.issues()).toEqual([]);
      expect(forgeWrites(reading)).toHaveLength(5);
    } finally {
      await reading.close();
    }
  });

  test("is cloned with the installation's token and not without", async () => {
    const header = `http.extraHeader=Authorization: ${forge.fetchAuthorization()}`;
    await git("-c", header, "clone", "--quiet", forge.cloneUrl, "copy");
    await git("-c", header, "-c", "protocol.version=0", "clone", "--quiet", forge.cloneUrl, "copy-of-an-old-client");
    expect(await git("-C", "copy", "rev-parse", "HEAD")).toBe(await forge.headOf("main"));
    await expect(git("clone", "--quiet", forge.cloneUrl, "other")).rejects.toThrow(/could not read Username/);
  });

  test("reads the zipped questions of a client that has much to say", async () => {
    const answer = await fetch(`${forge.cloneUrl}/git-upload-pack`, {
      method: "POST",
      headers: {
        authorization: forge.fetchAuthorization(),
        ...{ "content-encoding": "gzip", "git-protocol": "version=2" },
      },
      body: gzipSync("0014command=ls-refs\n0000"),
    });
    expect(await answer.text()).toContain(`${await forge.headOf("main")} refs/heads/main`);
  });

  test("takes no push over HTTP", async () => {
    const answer = await fetch(`${forge.cloneUrl}/info/refs?service=git-receive-pack`, {
      headers: { authorization: forge.fetchAuthorization() },
    });
    expect(answer.status).toBe(403);
  });

  test("a redelivery keeps its id and is not sent by itself", async () => {
    const number = await forge.openIssue("wim", { title: "hello" });
    await forge.settled();
    const sent = forge.deliveries.filter((delivery) => delivery.event === "issues");
    expect(sent.map(({ redelivery, status }) => [redelivery, status])).toEqual([[false, 0]]);
    const [first] = sent;
    expect(await forge.redeliver(first?.id ?? "")).toBe(true);
    expect(await forge.redeliver("unknown")).toBe(false);
    const all = forge.deliveries.filter((delivery) => delivery.id === first?.id);
    expect(all.map(({ redelivery, body }) => [redelivery, body])).toEqual([
      [false, first?.body],
      [true, first?.body],
    ]);
    expect(forge.issues().map((issue) => issue.number)).toEqual([number]);
  });

  test("merges for people too only what the protection lets through", async () => {
    const { host } = await connect(forge);
    await forge.push({ "x.txt": "x\n" }, { message: "x", author: "wim", branch: "feature" });
    const number = await forge.openPull("wim", { title: "Add x", head: "feature" });
    const { head } = await forge.pull(number);
    await expect(forge.mergeBy("ada", number)).rejects.toThrow(/ci.*expected/);
    await forge.reportCheck({ sha: head.sha, name: "ci", appId: ci, conclusion: "neutral" });
    await forge.review("rob", number, "APPROVED");
    await expect(forge.mergeBy("ada", number)).rejects.toThrow(/1 approving review/);
    await forge.review("ada", number, "APPROVED");
    expect((await forge.pull(number)).mergeable_state).toBe("clean");
    const sha = await forge.mergeBy("ada", number);
    expect(await forge.headOf("main")).toBe(sha);
    expect((await host.head()).tree.paths()).toContain("x.txt");
  });

  test("tells who is in a team", async () => {
    const { client } = await connect(forge);
    const asked = (username: string) =>
      client.find(() =>
        client.octokit.rest.teams.getMembershipForUserInOrg({ org: "acme", team_slug: "ops", username }),
      );
    expect(await asked("wim")).toMatchObject({ state: "active" });
    expect(await asked("ada")).toBeUndefined();
  });

  test("shows a pull request to people, with what others wrote as text", async () => {
    await forge.push({ "y.txt": "<b>y</b>\n" }, { message: "y", author: "wim", branch: "page" });
    const number = await forge.openPull("wim", { title: "Add <y>", body: "<script>alert(1)</script>", head: "page" });
    await forge.comment(number, "rob", "<img src=x>");
    const page = await fetch(`${new URL(forge.apiUrl).origin}/acme/shop/pull/${number}`);
    const html = await page.text();
    expect(html).toContain("&#60;script&#62;alert(1)");
    expect(html).toContain("&#60;img src=x&#62;");
    expect(html).toContain("+&#60;b&#62;y");
    expect(html).not.toMatch(/<script|<img/);
  });

  test("what a fault drops after the work has still happened", async () => {
    const { client } = await connect(forge);
    forge.faults = ({ method }) => (method === "POST" ? { when: "after", answer: "drop" } : undefined);
    const request = { ...client.repository, title: "kept" };
    await expect(client.octokit.rest.issues.create(request)).rejects.toThrow();
    forge.faults = ({ method }) => (method === "POST" ? { when: "before", answer: { status: 502 } } : undefined);
    await expect(client.octokit.rest.issues.create({ ...request, title: "lost" })).rejects.toThrow();
    forge.faults = undefined;
    expect(forge.issues().map((issue) => issue.title)).toEqual(expect.arrayContaining(["kept"]));
    expect(forge.issues().map((issue) => issue.title)).not.toContain("lost");
  });
});
