import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** Each row of the threat model, with the tests that show its mitigation: file, and words of their titles or cases. */
const threats: readonly (readonly [string, string, string, readonly string[]])[] = [
  ["T01", "forged GitHub events", "test/server/inbox.test.ts", ["a webhook without a genuine signature is refused"]],
  ["T02", "forged alerts", "test/server/inbox.test.ts", ["alerts need credentials, bearer or basic"]],
  ["T03", "edited and quoted commands", "test/domain/guardrails/command.test.ts", ["the line that a quote draws in"]],
  ["T03", "replies by mail", "test/domain/guardrails/command.test.ts", ["-----Original Message-----", "escribió:"]],
  ["T04", "commands by bots and our own text", "test/faults/commands.ts", ["C03"]],
  ["T05", "a check by another App", "test/adapters/github/checks.test.ts", ["counts only from its App"]],
  ["T06", "a head that moves after the approval", "test/faults/commands.ts", ["C07"]],
  [
    "T06",
    "a base or draft state that changes",
    "test/flow/decide/decide.test.ts",
    ["changed after the approval voids it"],
  ],
  ["T07", "a target outside the evidence", "test/injection/injection.test.ts", ["attacks"]],
  [
    "T08",
    "paths that lead out",
    "test/manifests/locate/bad-input.test.ts",
    ["a path that leaves the repository, or is a symb"],
  ],
  ["T09", "a change of what decides", "test/flow/gate/gate.test.ts", ["decides what may merge"]],
  ["T10", "a planted post-mortem", "test/flow/decide/withdrawal.test.ts", ["a forged post-mortem is not sealed"]],
  ["T11", "an approval that is denied later", "test/adapters/postgres/store.test.ts", ["keep the audit chain whole"]],
  [
    "T12",
    "a write without a record",
    "test/adapters/github/github.test.ts",
    ["each write is audited before it leaves"],
  ],
  ["T13", "secrets in evidence", "test/injection/injection.test.ts", ["E04 a secret in a log line"]],
  ["T14", "cluster facts in public", "test/domain/proposal/proposal-text.test.ts", ["but not in a public repository"]],
  ["T15", "tokens in error texts", "test/adapters/github/github.test.ts", ["and its text shows none"]],
  ["T16", "images and links", "test/domain/text/inert.test.ts", ["is inert in a sentence, a table, code, a block"]],
  ["T17", "huge bodies", "test/server/inbox.test.ts", ["a body over the limit ends before its signature"]],
  ["T17", "odd, slow and half-open requests", "test/adapters/http/listener.test.ts", ["leave both listeners standing"]],
  ["T17", "bodies that never end", "test/adapters/http/listener.test.ts", ["bodies that never end fill no memory"]],
  ["T18", "poison", "test/server/inbox.test.ts", ["what cannot be read is kept and ignored"]],
  ["T18", "poison among comments", "test/server/jobs/late-looks.test.ts", ["is told and stands in nobody's way"]],
  ["T19", "floods", "test/domain/proposal/caps.test.ts", ["and the caps hold"]],
  ["T19", "floods of comments", "test/adapters/github/github.test.ts", ["a flood hides no command behind it"]],
  ["T20", "a silent database", "test/adapters/postgres/silent-server.test.ts", ["have their answer: come back"]],
  ["T20", "outages", "test/adapters/github/github.test.ts", ["%i may pass", "nothing leaves before the time is up"]],
  ["T21", "loops on one workload", "test/domain/proposal/caps.test.ts", ["S05"]],
  ["T22", "self-approval", "test/faults/commands.ts", ["C05"]],
  ["T23", "commands elsewhere", "test/faults/commands.ts", ["C05"]],
  ["T24", "broad permissions", "test/app-manifest.test.ts", ["asks for the least permissions and nothing else"]],
  [
    "T25",
    "archives from elsewhere",
    "test/adapters/cli-tools/helm/running-charts.test.ts",
    ["is asked of nobody", "a redirect, another content", "is refused whole"],
  ],
  ["T25", "arguments of tools", "test/adapters/cli-tools/renderer.test.ts", ["odd paths never reach the tool"]],
  [
    "T26",
    "labels that point elsewhere",
    "test/domain/guardrails/guardrails.test.ts",
    ["an empty file allows no namespace"],
  ],
  ["T27", "another index", "test/adapters/memory/memory.test.ts", ["off, then rebuilt, never mixed"]],
  [
    "T29",
    "pages read by anybody",
    "test/server/pages/served.test.ts",
    ["without authentication no page is on the internal"],
  ],
  [
    "T29",
    "a session that was made up",
    "test/server/pages/sign-in.test.ts",
    ["a session that somebody made up is none"],
  ],
];

describe.each(threats)("%s %s", (_id, _threat, file, titles) => {
  test.each(titles)("%s", (title) => {
    expect(existsSync(file) && readFileSync(file, "utf8").includes(title), `${file}: ${title}`).toBe(true);
  });
});

describe("T28 a malicious package", () => {
  const release = readFileSync(".github/workflows/image.yml", "utf8");
  test("no release without an audit of its dependencies and their bill of materials", () => {
    const audit = release.indexOf("npm audit --omit=dev --audit-level=high");
    expect(audit).toBeGreaterThan(0);
    expect(audit).toBeLessThan(release.indexOf("build-push-action"));
    expect(release).toMatch(/npm sbom --omit dev --sbom-format cyclonedx/);
    expect(release).toMatch(/sbom: true/);
  });
  test("dependencies have exact versions", () => {
    const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
      dependencies: Record<string, string>;
    };
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });
});

test("every row of the threat model has a test", () => {
  const ids = new Set([...threats.map(([id]) => id), "T28"]);
  expect([...ids].sort()).toEqual(Array.from({ length: 29 }, (_, at) => `T${String(at + 1).padStart(2, "0")}`));
});
