import { createHmac } from "node:crypto";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** A GitHub with one repository, whose `main` requires the check `ci`, and people who act there. */
export interface Place {
  readonly apiUrl: string;
  readonly owner: string;
  readonly repo: string;
  readonly app: { readonly id: number; readonly slug: string; readonly privateKey: string };
  /** Commits a file to a branch, which starts at main. */
  push(branch: string, path: string, content: string): Promise<string>;
  comment(issue: number, login: string, body: string): Promise<number>;
  editComment(id: number, login: string, body: string): Promise<void>;
  reportCheck(sha: string, conclusion: "success" | "failure"): Promise<void>;
  close(): Promise<void>;
}

export interface PlaceOptions {
  readonly owner: string;
  readonly repo: string;
  readonly slug: string;
  readonly appId: number;
  readonly ciAppId: number;
  readonly files: Readonly<Record<string, string>>;
  readonly people: readonly { readonly login: string; readonly permission: "admin" | "write" | "read" }[];
  readonly webhookUrl: string;
  readonly webhookSecret: string;
}

const wanted = {
  owner: "acme",
  repo: "shop",
  slug: "rectify",
  appId: 4711,
  ciAppId: 99,
  files: { "apps/web.yaml": "replicas: 2\n", "README.md": "shop\n" },
  people: [
    { login: "ada", permission: "admin" },
    { login: "wim", permission: "write" },
    { login: "rob", permission: "read" },
  ],
  webhookSecret: "s".repeat(32),
} as const;

interface Received {
  readonly event: string;
  readonly delivery: string;
  readonly signature: string;
  readonly body: string;
}

/**
 * What our adapter relies on. `differs` names the promises that this implementation is known to break, with the
 * reason: they must fail, so that a difference that goes away is noticed.
 */
export function githubContract(
  name: string,
  open: (options: PlaceOptions) => Promise<Place>,
  differs: Readonly<Record<string, string>> = {},
): void {
  describe(name, () => {
    let place: Place;
    let octokit: Octokit;
    let receiver: Server;
    const received: Received[] = [];
    const repository = { owner: wanted.owner, repo: wanted.repo };

    beforeAll(async () => {
      receiver = createServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => {
          body += chunk.toString();
        });
        request.on("end", () => {
          const header = (key: string) => String(request.headers[key]);
          received.push({
            ...{ event: header("x-github-event"), delivery: header("x-github-delivery") },
            ...{ signature: header("x-hub-signature-256"), body },
          });
          response.writeHead(202).end();
        });
      });
      await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
      const webhookUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
      place = await open({ ...wanted, webhookUrl });
      const { data } = await asApp().rest.apps.getRepoInstallation(repository);
      octokit = new Octokit({
        ...{ baseUrl: place.apiUrl, authStrategy: createAppAuth, log },
        auth: { appId: place.app.id, privateKey: place.app.privateKey, installationId: data.id },
      });
    });
    afterAll(async () => {
      await place.close();
      receiver.closeAllConnections();
      await new Promise((resolve) => receiver.close(resolve));
    });

    const nothing = () => undefined;
    const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    function asApp(): Octokit {
      const auth = { appId: place.app.id, privateKey: place.app.privateKey };
      return new Octokit({ baseUrl: place.apiUrl, authStrategy: createAppAuth, auth, log });
    }

    function promise(text: string, check: () => Promise<void>): void {
      if (differs[text] === undefined) test(text, check);
      else test.fails(`${text} [differs: ${differs[text]}]`, check);
    }

    const mainSha = async () => (await octokit.rest.git.getRef({ ...repository, ref: "heads/main" })).data.object.sha;

    async function commit(parent: string, path: string, content: string): Promise<string> {
      const entry = { path, content, mode: "100644" as const, type: "blob" as const };
      const base = (await octokit.rest.git.getCommit({ ...repository, commit_sha: parent })).data.tree.sha;
      const tree = await octokit.rest.git.createTree({ ...repository, base_tree: base, tree: [entry] });
      const message = `Change ${path}\n\nWhy.\n\nIncident-UID: 1\nEffect: 2`;
      const made = await octokit.rest.git.createCommit({
        ...repository,
        message,
        tree: tree.data.sha,
        parents: [parent],
      });
      return made.data.sha;
    }

    let count = 0;
    async function branch(path?: string, content = "replicas: 4\n") {
      count += 1;
      const name = `rectify/shop-${count}`;
      const sha = await commit(await mainSha(), path ?? `apps/own-${count}.yaml`, content);
      await octokit.rest.git.createRef({ ...repository, ref: `refs/heads/${name}`, sha });
      return { name, sha };
    }

    async function pull(path?: string, content?: string) {
      const { name, sha } = await branch(path, content);
      const request = { ...repository, head: name, base: "main", title: "Scale web", body: "because" };
      const { data } = await octokit.rest.pulls.create(request);
      return { number: data.number, branch: name, sha, data };
    }

    const merge = (number: number, sha: string) =>
      octokit.rest.pulls.merge({
        ...{ ...repository, pull_number: number, sha, merge_method: "squash" },
        ...{ commit_title: `Scale web (#${number})`, commit_message: "Why.\n\nEffect: 2" },
      });

    const settledMergeable = async (number: number) => {
      for (let look = 0; look < 20; look += 1) {
        const { data } = await octokit.rest.pulls.get({ ...repository, pull_number: number });
        if (data.mergeable !== null) return data.mergeable;
        await new Promise((resume) => setTimeout(resume, 50));
      }
      return null;
    };

    async function contentOf(path: string, ref: string): Promise<string> {
      const { data } = await octokit.rest.repos.getContent({ ...repository, path, ref });
      return "content" in data ? Buffer.from(data.content, "base64").toString() : "";
    }

    const status = (call: Promise<unknown>) =>
      call.then(
        () => "no error",
        (error: { status?: number }) => error.status,
      );

    promise("the App knows its own slug", async () => {
      expect((await asApp().rest.apps.getAuthenticated()).data?.slug).toBe("rectify");
    });

    promise("the App's key must be the right one", async () => {
      const { generateKeyPairSync } = await import("node:crypto");
      const { privateKey } = generateKeyPairSync("rsa", {
        modulusLength: 2048,
        publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
      });
      const auth = { appId: place.app.id, privateKey };
      const stranger = new Octokit({ baseUrl: place.apiUrl, authStrategy: createAppAuth, auth, log });
      expect(await status(stranger.rest.apps.getAuthenticated())).toBe(401);
    });

    promise("a wrong token is 401, in GitHub's form", async () => {
      const headers = { authorization: "token ghs_wrong" };
      const answer = await fetch(`${place.apiUrl}/repos/acme/shop`, { headers });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ message: "Bad credentials", documentation_url: expect.any(String) });
    });

    promise("a repository where the App is not installed is 404", async () => {
      expect(await status(asApp().rest.apps.getRepoInstallation({ owner: "acme", repo: "elsewhere" }))).toBe(404);
    });

    promise("a private repository does not exist for strangers", async () => {
      expect((await fetch(`${place.apiUrl}/repos/acme/shop`)).status).toBe(404);
    });

    promise("the repository tells its default branch and that it is private", async () => {
      const { data } = await octokit.rest.repos.get(repository);
      expect(data).toMatchObject({ default_branch: "main", private: true, full_name: "acme/shop" });
    });

    promise("the branch shows the required checks", async () => {
      const { data } = await octokit.rest.repos.getBranch({ ...repository, branch: "main" });
      expect(data.protection.required_status_checks?.contexts).toEqual(["ci"]);
      expect(data.protected).toBe(true);
    });

    promise("the branch shows the App that a required check is expected from", async () => {
      const { data } = await octokit.rest.repos.getBranch({ ...repository, branch: "main" });
      expect(data.protection.required_status_checks).toMatchObject({ checks: [{ context: "ci", app_id: 99 }] });
    });

    promise("a tree over a base changes one file and keeps the others", async () => {
      const { name } = await branch("apps/web.yaml");
      expect(await contentOf("apps/web.yaml", name)).toBe("replicas: 4\n");
      expect(await contentOf("README.md", name)).toBe("shop\n");
    });

    promise("a base that is no tree is refused", async () => {
      const entry = { path: "apps/web.yaml", content: "replicas: 8\n", mode: "100644" as const, type: "blob" as const };
      const request = { ...repository, base_tree: "1".repeat(40), tree: [entry] };
      expect(await status(octokit.rest.git.createTree(request))).toBe(422);
    });

    promise("the same tree twice is one tree", async () => {
      const entry = { path: "apps/web.yaml", content: "replicas: 9\n", mode: "100644" as const, type: "blob" as const };
      const commit_sha = await mainSha();
      const base = (await octokit.rest.git.getCommit({ ...repository, commit_sha })).data.tree.sha;
      const request = { ...repository, base_tree: base, tree: [entry] };
      const [one, two] = [await octokit.rest.git.createTree(request), await octokit.rest.git.createTree(request)];
      expect(one.data.sha).toBe(two.data.sha);
    });

    promise("a commit without author fields is the App's and signed", async () => {
      const sha = await commit(await mainSha(), "x.txt", "x");
      const { data } = await octokit.rest.git.getCommit({ ...repository, commit_sha: sha });
      expect(data.author.name).toBe("rectify[bot]");
      expect(data.author.email).toMatch(/^\d+\+rectify\[bot\]@/);
      expect(data.verification.verified).toBe(true);
    });

    promise("a commit keeps its message to the last line", async () => {
      const sha = await commit(await mainSha(), "x.txt", "x");
      const { data } = await octokit.rest.git.getCommit({ ...repository, commit_sha: sha });
      expect(data.message).toBe("Change x.txt\n\nWhy.\n\nIncident-UID: 1\nEffect: 2");
    });

    promise("a ref that exists is 422 and says so", async () => {
      const { name, sha } = await branch();
      const again = octokit.rest.git.createRef({ ...repository, ref: `refs/heads/${name}`, sha });
      await expect(again).rejects.toMatchObject({ status: 422, message: expect.stringMatching(/already exists/) });
    });

    promise("a ref that does not exist is 404", async () => {
      expect(await status(octokit.rest.git.getRef({ ...repository, ref: "heads/rectify/none" }))).toBe(404);
    });

    promise("a ref moves forward only, unless forced", async () => {
      const { name, sha } = await branch();
      const ref = { ...repository, ref: `heads/${name}` };
      const onTop = await commit(sha, "x.txt", "x");
      await octokit.rest.git.updateRef({ ...ref, sha: onTop, force: false });
      const back = octokit.rest.git.updateRef({ ...ref, sha, force: false });
      await expect(back).rejects.toMatchObject({ status: 422, message: expect.stringMatching(/fast.forward/) });
    });

    promise("a ref that was deleted is gone, and deleting it again is 422", async () => {
      const { name } = await branch();
      const ref = { ...repository, ref: `heads/${name}` };
      await octokit.rest.git.deleteRef(ref);
      expect(await status(octokit.rest.git.getRef(ref))).toBe(404);
      expect(await status(octokit.rest.git.deleteRef(ref))).toBe(422);
    });

    promise("a pull request is the bot's and is found by its head", async () => {
      const made = await pull();
      expect(made.data.user).toMatchObject({ login: "rectify[bot]", type: "Bot" });
      const query = { ...repository, head: `acme:${made.branch}`, state: "all" as const };
      const { data } = await octokit.rest.pulls.list(query);
      expect(data.map((one) => [one.number, one.head.ref, one.head.sha, one.body])).toEqual([
        [made.number, made.branch, made.sha, "because"],
      ]);
    });

    promise("a second pull request for one head is 422 and says so", async () => {
      const made = await pull();
      const again = octokit.rest.pulls.create({ ...repository, head: made.branch, base: "main", title: "again" });
      await expect(again).rejects.toMatchObject({ status: 422, message: expect.stringMatching(/already exists/) });
    });

    promise("a pull request without a difference is 422", async () => {
      const name = "rectify/nothing";
      await octokit.rest.git.createRef({ ...repository, ref: `refs/heads/${name}`, sha: await mainSha() });
      const request = { ...repository, head: name, base: "main", title: "nothing" };
      expect(await status(octokit.rest.pulls.create(request))).toBe(422);
    });

    promise("a pull request from an unknown branch is 422", async () => {
      const request = { ...repository, head: "rectify/unknown", base: "main", title: "nothing" };
      expect(await status(octokit.rest.pulls.create(request))).toBe(422);
    });

    promise("a body of 65,537 characters is 422, one less is taken", async () => {
      const { number } = await pull();
      const request = { ...repository, pull_number: number };
      expect(await status(octokit.rest.pulls.update({ ...request, body: "x".repeat(65_537) }))).toBe(422);
      expect(await status(octokit.rest.pulls.update({ ...request, body: "x".repeat(65_536) }))).toBe("no error");
    });

    promise("a comment of 65,537 characters is 422", async () => {
      const { number: issue_number } = await pull();
      const body = "x".repeat(65_537);
      expect(await status(octokit.rest.issues.createComment({ ...repository, issue_number, body }))).toBe(422);
    });

    promise("mergeability is unknown at first and known a little later", async () => {
      const made = await pull();
      expect(made.data.mergeable).toBeNull();
      expect(await settledMergeable(made.number)).toBe(true);
    });

    promise("a conflict makes it not mergeable and a merge 405", async () => {
      const made = await pull("apps/web.yaml", "replicas: 7\n");
      await place.push("main", "apps/web.yaml", "replicas: 3\n");
      expect(await settledMergeable(made.number)).toBe(false);
      await place.reportCheck(made.sha, "success");
      expect(await status(merge(made.number, made.sha))).toBe(405);
    });

    promise("labels are added, unknown ones are made, twice is once", async () => {
      const { number } = await pull();
      const issue = { ...repository, issue_number: number };
      await octokit.rest.issues.addLabels({ ...issue, labels: ["rectify", "risk/low"] });
      await octokit.rest.issues.addLabels({ ...issue, labels: ["rectify"] });
      const { data } = await octokit.rest.pulls.get({ ...repository, pull_number: number });
      expect(data.labels.map((label) => label.name).sort()).toEqual(["rectify", "risk/low"]);
    });

    promise("the bot's comment is a bot's and made by the App", async () => {
      const { number } = await pull();
      const { data } = await octokit.rest.issues.createComment({ ...repository, issue_number: number, body: "hello" });
      expect(data.user).toMatchObject({ login: "rectify[bot]", type: "Bot" });
      expect(data.performed_via_github_app).toMatchObject({ slug: "rectify" });
      expect(data.issue_url).toMatch(new RegExp(`/issues/${number}$`));
    });

    promise("a person's comment is a person's", async () => {
      const { number } = await pull();
      const id = await place.comment(number, "wim", "/approve-scale");
      const { data } = await octokit.rest.issues.getComment({ ...repository, comment_id: id });
      expect(data).toMatchObject({ body: "/approve-scale", user: { login: "wim", type: "User" } });
      expect(data.performed_via_github_app ?? null).toBeNull();
      // Both are the moment of its writing, for which some look at the clock twice.
      expect(Date.parse(data.updated_at) - Date.parse(data.created_at)).toBeLessThan(1_000);
    });

    promise("an edited comment shows it, a deleted one is 404", async () => {
      const { number } = await pull();
      const id = await place.comment(number, "wim", "one");
      // GitHub's clock counts seconds.
      await new Promise((resume) => setTimeout(resume, 1_050));
      await place.editComment(id, "wim", "two");
      const comment = { ...repository, comment_id: id };
      const { data } = await octokit.rest.issues.getComment(comment);
      expect(data.body).toBe("two");
      expect(data.updated_at > data.created_at).toBe(true);
      await octokit.rest.issues.deleteComment(comment);
      expect(await status(octokit.rest.issues.getComment(comment))).toBe(404);
    });

    promise("lists come in pages with links", async () => {
      const { number } = await pull();
      for (const body of ["one", "two", "three"]) await place.comment(number, "wim", body);
      const query = { ...repository, issue_number: number, per_page: 2 };
      const first = await octokit.rest.issues.listComments(query);
      expect(first.data.map((comment) => comment.body)).toEqual(["one", "two"]);
      expect(first.headers.link).toMatch(/page=2.*rel="next"/);
      const second = await octokit.rest.issues.listComments({ ...query, page: 2 });
      expect(second.data.map((comment) => comment.body)).toEqual(["three"]);
      expect(second.headers.link ?? "").not.toMatch(/rel="next"/);
    });

    promise("comments can be asked for since a moment", async () => {
      const { number } = await pull();
      await place.comment(number, "wim", "one");
      const query = { ...repository, issue_number: number };
      const later = new Date(Date.now() + 3_600_000).toISOString();
      expect((await octokit.rest.issues.listComments({ ...query, since: later })).data).toEqual([]);
      const earlier = new Date(Date.now() - 3_600_000).toISOString();
      expect((await octokit.rest.issues.listComments({ ...query, since: earlier })).data).toHaveLength(1);
    });

    promise("a reaction given twice is one", async () => {
      const { number } = await pull();
      const comment = { ...repository, comment_id: await place.comment(number, "wim", "hm") };
      const first = await octokit.rest.reactions.createForIssueComment({ ...comment, content: "eyes" });
      const second = await octokit.rest.reactions.createForIssueComment({ ...comment, content: "eyes" });
      expect([first.status, second.status, second.data.id]).toEqual([201, 200, first.data.id]);
    });

    promise("a check run is found at its commit, by name and App", async () => {
      const { sha } = await pull();
      const run = { name: "rectify", head_sha: sha, status: "completed" as const, conclusion: "success" as const };
      await octokit.rest.checks.create({
        ...{ ...repository, ...run, external_id: "effect" },
        output: { title: "t", summary: "s" },
      });
      await place.reportCheck(sha, "failure");
      const query = { ...repository, ref: sha, check_name: "rectify", app_id: place.app.id };
      const { data } = await octokit.rest.checks.listForRef(query);
      expect(data.check_runs.map((one) => [one.name, one.external_id, one.conclusion, one.app?.id])).toEqual([
        ["rectify", "effect", "success", place.app.id],
      ]);
      expect(data.total_count).toBe(1);
    });

    promise("a check that ran again shows only its last run", async () => {
      const { sha } = await pull();
      await place.reportCheck(sha, "failure");
      await place.reportCheck(sha, "success");
      const { data } = await octokit.rest.checks.listForRef({ ...repository, ref: sha, filter: "latest" });
      expect(data.check_runs.map((one) => one.conclusion)).toEqual(["success"]);
    });

    promise("without the required check a merge is 405", async () => {
      const { number, sha } = await pull();
      expect(await status(merge(number, sha))).toBe(405);
    });

    promise("with a failed check a merge is 405", async () => {
      const { number, sha } = await pull();
      await place.reportCheck(sha, "failure");
      expect(await status(merge(number, sha))).toBe(405);
    });

    promise("a head that moved is 409", async () => {
      const made = await pull();
      await place.reportCheck(made.sha, "success");
      await place.push(made.branch, "x.txt", "x");
      expect(await status(merge(made.number, made.sha))).toBe(409);
    });

    promise("a push leaves the checks of the old head behind", async () => {
      const made = await pull();
      await place.reportCheck(made.sha, "success");
      const sha = await place.push(made.branch, "x.txt", "x");
      const { data } = await octokit.rest.pulls.get({ ...repository, pull_number: made.number });
      expect(data.head.sha).toBe(sha);
      expect(await status(merge(made.number, sha))).toBe(405);
    });

    promise("a squash merge is one commit on main with our words", async () => {
      const made = await pull();
      const before = await mainSha();
      await place.reportCheck(made.sha, "success");
      const { data } = await merge(made.number, made.sha);
      expect(data).toMatchObject({ merged: true, sha: await mainSha() });
      const merged = await octokit.rest.git.getCommit({ ...repository, commit_sha: data.sha });
      expect(merged.data.parents.map((parent) => parent.sha)).toEqual([before]);
      expect(merged.data.message).toBe(`Scale web (#${made.number})\n\nWhy.\n\nEffect: 2`);
      const now = await octokit.rest.pulls.get({ ...repository, pull_number: made.number });
      expect(now.data).toMatchObject({ merged: true, state: "closed", merge_commit_sha: data.sha });
    });

    promise("a merged pull request is not merged again: 405", async () => {
      const made = await pull();
      await place.reportCheck(made.sha, "success");
      await merge(made.number, made.sha);
      expect(await status(merge(made.number, made.sha))).toBe(405);
    });

    promise("a merge keeps what others changed on main meanwhile", async () => {
      const made = await pull();
      await place.push("main", "docs/news.md", "news\n");
      await place.reportCheck(made.sha, "success");
      await merge(made.number, made.sha);
      expect(await contentOf("docs/news.md", "main")).toBe("news\n");
    });

    promise("a closed pull request is closed, and closing it again changes nothing", async () => {
      const { number, branch: name } = await pull();
      const request = { ...repository, pull_number: number, state: "closed" as const };
      expect((await octokit.rest.pulls.update(request)).data.state).toBe("closed");
      expect((await octokit.rest.pulls.update(request)).data.state).toBe("closed");
      const query = { ...repository, head: `acme:${name}` };
      expect((await octokit.rest.pulls.list({ ...query, state: "open" })).data).toEqual([]);
      expect((await octokit.rest.pulls.list({ ...query, state: "all" })).data).toHaveLength(1);
    });

    promise("the commits of a pull request name their authors", async () => {
      const made = await pull();
      const { data } = await octokit.rest.pulls.listCommits({ ...repository, pull_number: made.number });
      expect(data.map((one) => [one.sha, one.author?.login])).toEqual([[made.sha, "rectify[bot]"]]);
    });

    promise("a comparison counts both sides", async () => {
      const made = await branch();
      await place.push("main", "docs/more.md", "more\n");
      const basehead = `${await mainSha()}...${made.sha}`;
      const { data } = await octokit.rest.repos.compareCommitsWithBasehead({ ...repository, basehead });
      expect([data.ahead_by, data.behind_by, data.status]).toEqual([1, 1, "diverged"]);
    });

    promise("what people may do is told by role", async () => {
      const told = [];
      for (const username of ["ada", "wim", "rob"]) {
        const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({ ...repository, username });
        told.push([data.permission, data.role_name]);
      }
      expect(told).toEqual([
        ["admin", "admin"],
        ["write", "write"],
        ["read", "read"],
      ]);
    });

    promise("an unknown person is 404", async () => {
      const query = { ...repository, username: "nobody-knows" };
      expect(await status(octokit.rest.repos.getCollaboratorPermissionLevel(query))).toBe(404);
    });

    promise("webhooks are signed, numbered, and name their installation", async () => {
      const { number } = await pull();
      const id = await place.comment(number, "wim", "/hold");
      const told = () => received.find(({ event, body }) => event === "issue_comment" && body.includes(`"id":${id}`));
      for (let look = 0; look < 40 && !told(); look += 1) await new Promise((resume) => setTimeout(resume, 50));
      const hook = told();
      const expected = createHmac("sha256", wanted.webhookSecret)
        .update(hook?.body ?? "")
        .digest("hex");
      expect(hook?.signature).toBe(`sha256=${expected}`);
      expect(hook?.delivery).toMatch(/^[0-9a-f-]{36}$/);
      expect(JSON.parse(hook?.body ?? "{}")).toMatchObject({
        action: "created",
        issue: { number, pull_request: { url: expect.any(String) } },
        comment: { id, body: "/hold", user: { login: "wim", type: "User" } },
        repository: { full_name: "acme/shop" },
        installation: { id: expect.any(Number) },
        sender: { login: "wim" },
      });
    });
  });
}
