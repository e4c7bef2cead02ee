import { afterEach, beforeEach, expect, test } from "vitest";
import { guardrailsHost } from "../../../src/adapters/github/guardrails.ts";
import { guardrailsPath } from "../../../src/flow/collect/load-guardrails.ts";
import { checkGuardrails, proposeGuardrails } from "../../../src/flow/gate/check-guardrails.ts";
import { readGuardrails } from "../../../src/manifests/repository/guardrails-file.ts";
import { connect, type Session, startShop } from "../../lab/forge-shop.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
let session: Session;
beforeEach(async () => {
  forge = await startShop({});
  session = await connect(forge);
});
afterEach(() => forge.close());

async function pullWith(text: string | null): Promise<{ pull: number; sha: string }> {
  const branch = "edit";
  const files = { [guardrailsPath]: text, "other.txt": "x\n" };
  const sha = await forge.push(files, { message: "guardrails", author: "wim", branch });
  const pull = forge.pulls().find((one) => one.head.ref === branch)?.number;
  return { sha, pull: pull ?? (await forge.openPull("wim", { title: "guardrails", head: branch })) };
}

const checks = (sha: string) => forge.checks(sha).filter(({ name }) => name === "rectify-guardrails");

test("a pull request that breaks the guardrails is told so at the line, once for each text", async () => {
  const { pull, sha } = await pullWith("namespaces: [shop]\nmaxReplcas: 3\n");
  await checkGuardrails(pull, guardrailsHost(session.client));
  await checkGuardrails(pull, guardrailsHost((await connect(forge)).client));
  expect(checks(sha)).toMatchObject([
    {
      conclusion: "failure",
      annotations: [
        { path: guardrailsPath, start_line: 2, message: expect.stringContaining("did you mean maxReplicas?") },
      ],
    },
  ]);
  const fixed = await pullWith("namespaces: [shop]\nmaxReplicas: 3\n");
  await checkGuardrails(pull, guardrailsHost(session.client));
  expect(checks(fixed.sha)).toMatchObject([{ conclusion: "success", annotations: [] }]);
});

test("an annotation shows no control and no bidirectional character of the file", async () => {
  const { pull, sha } = await pullWith('namespaces: [shop]\n"max\\u202eReplicas\\u0007": 3\n');
  await checkGuardrails(pull, guardrailsHost(session.client));
  const [check] = checks(sha);
  const said = JSON.stringify([check?.output, (check as { annotations?: unknown })?.annotations]);
  expect(said).toContain("maxReplicas");
  // JSON writes a control character as an escape.
  expect(said).not.toMatch(/\u202e|\\u0007|\\u202e/);
});

test("a pull request that leaves the file alone, or is closed, gets no check", async () => {
  const sha = await forge.push({ "other.txt": "x\n" }, { message: "x", author: "wim", branch: "other" });
  const other = await forge.openPull("wim", { title: "other", head: "other" });
  await checkGuardrails(other, guardrailsHost(session.client));
  const broken = await pullWith("nonsense: 1\n");
  await forge.closeBy("wim", broken.pull);
  await checkGuardrails(broken.pull, guardrailsHost(session.client));
  expect([...checks(sha), ...checks(broken.sha)]).toEqual([]);
});

test("the file is proposed once, valid and allowing nothing, and not again after a person closed it", async () => {
  await proposeGuardrails(guardrailsHost(session.client));
  await proposeGuardrails(guardrailsHost((await connect(forge)).client));
  const [pull, ...others] = forge.pulls();
  expect(others).toEqual([]);
  const text = (await forge.files("rectify/onboarding"))[guardrailsPath] ?? "";
  expect(readGuardrails(new TextEncoder().encode(text))).toMatchObject({
    ok: true,
    value: { namespaces: [], autoMerge: "never" },
  });
  expect(pull?.body).toContain("It names no namespace: shadow mode then looks at all of them");
  expect(Object.keys(await forge.files("main"))).not.toContain(guardrailsPath);
  await forge.closeBy("ada", pull?.number ?? 0);
  await proposeGuardrails(guardrailsHost((await connect(forge)).client));
  expect(forge.pulls()).toHaveLength(1);
});

test("a try that died after the branch is completed by the next", async () => {
  forge.faults = (call) =>
    call.method === "POST" && call.path.endsWith("/pulls") ? { when: "before", answer: { status: 502 } } : undefined;
  await expect(proposeGuardrails(guardrailsHost(session.client))).rejects.toThrow();
  forge.faults = undefined;
  await proposeGuardrails(guardrailsHost(session.client));
  expect(forge.pulls()).toHaveLength(1);
});

test("a branch of that name that others made is left alone", async () => {
  await forge.push({ "evil.txt": "x\n" }, { message: "x", author: "wim", branch: "rectify/onboarding" });
  await expect(proposeGuardrails(guardrailsHost(session.client))).rejects.toThrow("taken by someone else");
  expect(forge.pulls()).toEqual([]);
});
