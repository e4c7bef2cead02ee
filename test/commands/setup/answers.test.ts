import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { answersOf, type SetupAsked } from "../../../src/commands/setup/answers.ts";
import { interactive, scripted, WrongCall } from "../../../src/commands/setup/dialog.ts";
import { remoteOf } from "../../../src/commands/setup/looked.ts";
import { scratchDirectory } from "../../scratch.ts";

// Nobody answers there: what is not given is not found.
const given = [
  ...[
    "RECTIFY_REPOSITORY=acme/gitops",
    "GITHUB_API_URL=http://127.0.0.1:1/api/v3",
    "PROMETHEUS_URL=http://127.0.0.1:1",
  ],
  ...["ALERTMANAGER_URL=http://127.0.0.1:1", "LOKI_URL=", "OLLAMA_HOST="],
];

async function problemsOf(asked: SetupAsked): Promise<readonly string[]> {
  const answers = await answersOf(
    { yes: true, ...asked },
    {},
    scripted(() => undefined),
  ).catch((error) => error);
  if (!(answers instanceof WrongCall)) throw answers;
  return answers.problems;
}

test.each([
  ["git@github.com:acme/gitops.git", "acme/gitops", "https://api.github.com"],
  ["https://github.com/acme/gitops", "acme/gitops", "https://api.github.com"],
  ["ssh://git@github.acme.com:2222/acme/git.ops.git", "acme/git.ops", "https://github.acme.com/api/v3"],
  ["https://acme.ghe.com/acme/gitops.git", "acme/gitops", "https://api.acme.ghe.com"],
  ["http://127.0.0.1:4000/acme/gitops.git", "acme/gitops", "http://127.0.0.1:4000/api/v3"],
])("the remote %s names a repository and its API", (remote, repository, apiUrl) => {
  expect(remoteOf(remote)).toEqual({ repository, apiUrl });
});

test.each(["/srv/git/shop.git", "https://gitlab.com/group/sub/project.git", "file:///srv/acme/shop", ""])(
  "the remote %j names none",
  (remote) => expect(remoteOf(remote)).toBeUndefined(),
);

test("single answers win over the file, and settings keep their names", async () => {
  const config = join(scratchDirectory(), "setup.yaml");
  writeFileSync(config, "secrets: kubernetes\ndirectory: from-file\nsettings: {CLUSTER_NAME: east, PORT: 4000}\n");
  const asked = { yes: true as const, config, set: [...given, "directory=from-line", "namespaces=shop,cart"] };
  const answers = await answersOf(
    asked,
    { PROMETHEUS_TOKEN: "of-the-environment" },
    scripted(() => undefined),
  );
  expect(answers).toMatchObject({
    ...{ owner: "acme", repo: "gitops", organization: undefined, appName: "rectify-acme", webhookUrl: undefined },
    ...{ secrets: "kubernetes", directory: expect.stringMatching(/from-line$/), namespaces: ["shop", "cart"] },
    settings: { CLUSTER_NAME: "east", PORT: "4000", PROMETHEUS_TOKEN: "of-the-environment" },
  });
  expect(answers.settings).not.toHaveProperty("LOKI_URL");
});

test("an App that exists is taken apart from the settings", async () => {
  const environment = { APP_ID: "7", PRIVATE_KEY_PATH: "/key.pem", WEBHOOK_SECRET: "w".repeat(32) };
  const answers = await answersOf(
    { yes: true, set: given },
    environment,
    scripted(() => undefined),
  );
  expect(answers.app).toEqual(environment);
  expect(answers.settings).not.toHaveProperty("APP_ID");
});

test("every wrong answer is named at once, with what was meant", async () => {
  const config = join(scratchDirectory(), "setup.yaml");
  writeFileSync(config, "secrts: files\nsecrets: vault\nsettings: {PROMETHEUS_ULR: x, PROMETHEUS_TOKEN: y}\n");
  expect(await problemsOf({ config })).toEqual([
    "secrets: must be files or kubernetes",
    "secrts: is not known here: did you mean secrets?",
    "PROMETHEUS_ULR: is not a setting: did you mean PROMETHEUS_URL?",
    "PROMETHEUS_TOKEN: is a secret: set it in the environment of rectify setup",
  ]);
  expect(await problemsOf({ set: [...given, "PROMETHEUS_URL=prom"] })).toEqual([
    expect.stringContaining("PROMETHEUS_URL: must be an http or https address"),
  ]);
  expect(await problemsOf({ set: ["nonsense"] })).toEqual(["--set nonsense: write NAME=VALUE"]);
  expect(await problemsOf({ config: "/nowhere.yaml" })).toEqual([
    "/nowhere.yaml cannot be read: name a file with --config",
  ]);
});

test("a person is asked what is left, with what was found as the default", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const dialog = interactive(input, output);
  const replies = ["acme", "", "https://rectify.example/webhooks/github", "kubernetes", "./keys"];
  let shown = "";
  output.on("data", (part: Buffer) => {
    shown += part.toString();
    if (part.toString().endsWith(": ")) input.write(`${replies.shift() ?? ""}\n`);
  });
  const answers = await answersOf({ set: given }, {}, dialog);
  dialog.close();
  expect(answers).toMatchObject({ organization: "acme", appName: "rectify-acme", secrets: "kubernetes" });
  expect(answers.webhookUrl).toBe("https://rectify.example/webhooks/github");
  expect(shown).toContain("Name of the GitHub App, unique on GitHub [rectify-acme]: ");
  expect(replies).toEqual([]);
});

test("a wrong answer is asked for again, with what is wrong with it", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const dialog = interactive(input, output);
  const settings = given.filter((pair) => !/^(?:RECTIFY_REPOSITORY|PROMETHEUS_URL)=/.test(pair));
  const replies: Readonly<Record<string, string[]>> = {
    "The GitOps repository": ["gitops", "acme/gitops"],
    Prometheus: ["prometheus", "http://127.0.0.1:1"],
    "Address at which": ["example.com", "https://rectify.example/webhooks/github"],
    "Secrets as files": ["vault", "kubernetes"],
  };
  let shown = "";
  output.on("data", (part: Buffer) => {
    shown += part.toString();
    const asked = Object.keys(replies).find((question) => part.toString().startsWith(question));
    if (part.toString().endsWith(": ")) input.write(`${asked === undefined ? "" : (replies[asked]?.shift() ?? "")}\n`);
  });
  const answers = await answersOf({ set: settings }, {}, dialog);
  dialog.close();
  expect(answers).toMatchObject({ owner: "acme", repo: "gitops", secrets: "kubernetes" });
  expect(answers.webhookUrl).toBe("https://rectify.example/webhooks/github");
  expect(answers.settings.PROMETHEUS_URL).toBe("http://127.0.0.1:1");
  for (const problem of ["must be an http or https address", "must be files or kubernetes"])
    expect(shown).toContain(`  ${problem}\n`);
  expect(Object.values(replies).flat()).toEqual([]);
});
