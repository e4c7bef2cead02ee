import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type LocateAsked, locateCommand } from "../../../src/commands/repository/locate.ts";
import type { LineAnswer } from "../../../src/commands/repository/locate-answer.ts";
import { scratchDirectory, scratchFiles } from "../../scratch.ts";

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1.0.0
`;

async function run(words: readonly string[], asked: LocateAsked): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const code = await locateCommand(words, asked, (line) => lines.push(line));
  return { code, text: lines.join("\n") };
}

async function answers(lines: readonly string[], root: string): Promise<LineAnswer[]> {
  const questions = join(scratchDirectory(), "questions.jsonl");
  writeFileSync(questions, lines.join("\n"));
  const { text } = await run([], { tree: root, questions });
  return text.split("\n").map((line) => JSON.parse(line) as LineAnswer);
}

const flux = (name: string, path: string) =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}, namespace: flux-system}\nspec: {path: ./${path}, sourceRef: {kind: GitRepository, name: flux-system}}\n`;
const base = deployment.replace("  namespace: shop\n", "");
const overlaid = {
  "base/kustomization.yaml": "resources: [web.yaml]\n",
  "base/web.yaml": base,
  "prod/kustomization.yaml": "namespace: shop\nresources: [../base]\npatches: [{path: web.yaml}]\n",
  "prod/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 4\n",
  "staging/kustomization.yaml": "namespace: shop-staging\nresources: [../base]\n",
};

test("a question in words need not say what deploys the workload: what makes it is found by rendering", async () => {
  const tree = scratchFiles({ ...overlaid, "clusters/prod.yaml": flux("prod", "prod") });
  const { code, text } = await run(["shop/Deployment/web", "replicas=5"], { tree });
  expect(text).toContain("prod/web.yaml:5\n  -   replicas: 4\n  +   replicas: 5");
  expect(text).toContain("proved");
  expect(code).toBe(0);
});

test("where several entries make it, they are listed with the way to name one", async () => {
  const clusters = { "clusters/eu.yaml": flux("eu", "eu"), "clusters/us.yaml": flux("us", "us") };
  const tree = scratchFiles({ ...clusters, "eu/web.yaml": deployment, "us/web.yaml": deployment });
  const { code, text } = await run(["shop/Deployment/web", "replicas=5"], { tree });
  expect(text).toContain("2 entries make it: Kustomization flux-system/eu (eu), Kustomization flux-system/us (us)");
  expect(text).toContain("--entry DIRECTORY");
  expect(code).toBe(1);
  const named = await run(["shop/Deployment/web", "replicas=5"], { tree, object: "Kustomization flux-system/us" });
  expect(named.text).toContain("us/web.yaml:7");
});

test("one question on the command line is answered in words", async () => {
  const tree = scratchFiles({ "app/kustomization.yaml": "resources: [web.yaml]\n", "app/web.yaml": deployment });
  const { code, text } = await run(["shop/Deployment/web", "replicas=5"], { tree });
  expect(code).toBe(0);
  expect(text).toContain("app/web.yaml:7\n  -   replicas: 2\n  +   replicas: 5");
  expect(text).toContain("proved: rendered before and after with rectify's own Kustomize subset");
  const refused = await run(["shop/Deployment/api", "replicas=5"], { tree });
  expect(refused.code).toBe(1);
  expect(refused.text).toContain("no change: no file of the repository holds Deployment api (not-found)");
});

test("a file of questions is answered line by line, and a bad line is one error", async () => {
  const root = scratchFiles({ "one/app/web.yaml": deployment });
  const ask = (more: object) => JSON.stringify({ workload: { name: "web", namespace: "shop" }, ...more });
  const [edit, inline, noJson, noValue, noTree, action] = await answers(
    [
      ask({ id: "a", tree: "one", change: { kind: "replicas", to: 3 } }),
      ask({ tree: { "web.yaml": deployment }, change: { kind: "image-tag", to: "2.0.0" } }),
      "{ not json",
      ask({ tree: "one", change: { kind: "replicas", to: "many" } }),
      ask({ tree: "two", change: { kind: "replicas", to: 3 } }),
      ask({ tree: "one", action: { type: "set-resources", field: "limits.memory", value: "1Gi" } }),
    ],
    root,
  );
  expect(edit).toMatchObject({ id: "a", outcome: "edit", files: [{ path: "app/web.yaml" }], proof: {}, warnings: [] });
  expect(edit?.files?.[0]?.content).toBe(deployment.replace("replicas: 2", "replicas: 3"));
  expect(inline?.files?.[0]?.content).toContain("registry.example/web:2.0.0");
  expect(noJson?.error).toContain("line 3 is no JSON");
  expect(noValue?.error).toContain("replicas  cannot be many");
  expect(noTree?.error).toContain("is no directory");
  expect(action?.outcome).toBe("edit");
});

test("a file of questions exits with code 1 where a line is in error; a refusal is an answer", async () => {
  const root = scratchFiles({ "app/web.yaml": deployment });
  const ask = (name: string, to: unknown) =>
    JSON.stringify({ workload: { name, namespace: "shop" }, change: { kind: "replicas", to } });
  const ended = async (...lines: string[]) => {
    const questions = join(scratchDirectory(), "questions.jsonl");
    writeFileSync(questions, lines.join("\n"));
    return (await run([], { tree: root, questions })).code;
  };
  expect(await ended(ask("web", 3), ask("api", 3))).toBe(0);
  expect(await ended(ask("web", "many"), ask("web", 3))).toBe(1);
  expect(await ended("{ not json")).toBe(1);
});

test("one document of cases is a file of questions as well", async () => {
  const question = { workload: { name: "web", namespace: "shop" }, change: { kind: "replicas", to: 3 } };
  const cases = { cases: [{ id: 1, question, files: { "web.yaml": deployment } }] };
  const [only] = await answers([JSON.stringify(cases, null, 1)], scratchDirectory());
  expect(only).toMatchObject({ id: "1", outcome: "edit" });
});

test("the formats are printed as JSON schemas", async () => {
  const { text } = await run([], { tree: ".", schema: true });
  const schema = JSON.parse(text) as { question: { properties: object }; answer: { properties: object } };
  expect(Object.keys(schema.question.properties)).toEqual(expect.arrayContaining(["workload", "change", "entry"]));
  expect(Object.keys(schema.answer.properties)).toEqual(expect.arrayContaining(["files", "proof", "refusal"]));
});

test.each(["abc", "-1Mi", "0x1Mi", " 1Mi", "1Mb"])("%j is no amount that Kubernetes knows", async (amount) => {
  const tree = scratchFiles({ "web.yaml": deployment });
  const { code, text } = await run(["shop/Deployment/web", `limits.memory=${amount}`], { tree });
  expect(text).toContain("limits.memory cannot be");
  expect(code).toBe(1);
});
