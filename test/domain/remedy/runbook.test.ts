import { describe, expect, test } from "vitest";
import {
  followRunbook,
  readRunbook,
  type Runbook,
  runbookFor,
  splitFrontMatter,
} from "../../../src/domain/remedy/runbook.ts";
import { incidentOf } from "../incident/incident-fixture.ts";

const minimal = { alert: "HighRequestLatency", remedy: { kind: "scale" } };

function runbook(frontMatter: unknown, path = "runbooks/a.md"): Runbook {
  const reading = readRunbook(path, frontMatter, "text");
  if (reading.kind === "invalid") throw new Error(reading.problems.join("; "));
  return reading.runbook;
}

describe("front matter", () => {
  test.each([
    ["plain", "---\nalert: A\n---\n# Text\n", "alert: A", "# Text"],
    ["with CRLF", "---\r\nalert: A\r\n---\r\ntext", "alert: A", "text"],
    ["with a byte order mark", "\uFEFF---\na: 1\n---\n", "a: 1", ""],
    ["empty", "---\n---\ntext", "", "text"],
    ["without a text below", "---\na: 1\n---", "a: 1", ""],
    ["with a rule in the text", "---\na: 1\n---\nb\n---\nc", "a: 1", "b\n---\nc"],
  ])("%s", (_, text, yaml, body) => expect(splitFrontMatter(text)).toEqual({ yaml, body }));

  test.each([
    ["no front matter", "# Text"],
    ["an open one", "---\na: 1\n"],
    ["one that comes late", "\n---\na: 1\n---\n"],
  ])("%s is none", (_, text) => expect(splitFrontMatter(text)).toBeUndefined());
});

describe("a runbook", () => {
  test("needs an alert and a remedy, no more", () => {
    expect(runbook(minimal)).toEqual({ path: "runbooks/a.md", body: "text", match: {}, ...minimal });
  });

  test.each([
    ["nothing", null, "front matter"],
    ["no alert", { remedy: { kind: "none" } }, "alert"],
    ["an unknown field", { ...minimal, severity: "low" }, "front matter"],
    ["an unknown condition", { ...minimal, match: { namespace: ["shop"] } }, "match"],
    ["a remedy that is not of the list", { ...minimal, remedy: { kind: "restart" } }, "remedy.kind"],
    ["a number of replicas", { ...minimal, remedy: { kind: "scale", replicas: 9 } }, "remedy"],
    ["resources without a field", { ...minimal, remedy: { kind: "resources" } }, "remedy.field"],
    ["a target above 1", { ...minimal, remedy: { kind: "scale", targetUtilisation: 60 } }, "remedy.targetUtilisation"],
    ["an unknown cause", { ...minimal, match: { causes: ["gremlins"] } }, "match.causes.0"],
  ])("is invalid with %s, and says where", (_, frontMatter, where) => {
    const reading = readRunbook("runbooks/a.md", frontMatter, "");
    expect(reading.kind === "invalid" ? reading.problems.join("; ") : "").toContain(where);
  });
});

describe("the runbook of an incident", () => {
  const incident = incidentOf({ labels: { team: "shop" } });

  test.each<[string, object]>([
    ["its alert", {}],
    ["its namespace", { namespaces: ["shop", "data"] }],
    ["its workload", { workloads: ["web"] }],
    ["its labels", { labels: { team: "shop", severity: "critical" } }],
    ["one of its causes", { causes: ["bad-change", "saturated"] }],
  ])("fits by %s", (_, match) => {
    expect(runbookFor([runbook({ ...minimal, match })], incident, ["saturated"])).toBeDefined();
  });

  test.each<[string, object]>([
    ["another alert", { alert: "Other" }],
    ["another namespace", { match: { namespaces: ["data"] } }],
    ["another workload", { match: { workloads: ["we"] } }],
    ["another label", { match: { labels: { team: "data" } } }],
    ["a label it does not have", { match: { labels: { constructor: "x" } } }],
    ["a cause that was not found", { match: { causes: ["out-of-memory"] } }],
    ["one condition of two", { match: { namespaces: ["shop"], workloads: ["api"] } }],
  ])("does not fit: %s", (_, change) => {
    expect(runbookFor([runbook({ ...minimal, ...change })], incident, ["saturated"])).toBeUndefined();
  });

  test("is the one with the most conditions, then the first by path", () => {
    const general = runbook(minimal, "runbooks/a.md");
    const exact = runbook({ ...minimal, match: { namespaces: ["shop"], labels: { team: "shop" } } }, "runbooks/z.md");
    const same = runbook(minimal, "runbooks/0.md");
    expect(runbookFor([general, exact, same], incident, [])?.path).toBe("runbooks/z.md");
    expect(runbookFor([general, same], incident, [])?.path).toBe("runbooks/0.md");
  });
});

describe("following a runbook", () => {
  const answer = (id: string, kind: "scale" | "revert" | undefined) =>
    ({
      cause: { id },
      remedy: kind ? { kind: "change", remediation: { kind, sizing: ["counted"] } } : { kind: "none", because: "" },
    }) as unknown as Parameters<typeof followRunbook>[1][number];
  const answers = [answer("first", undefined), answer("second", "revert"), answer("third", "scale")];

  test("takes the best cause that has its remedy, and says who asked", () => {
    const followed = followRunbook(runbook(minimal), answers);
    expect(followed?.cause.id).toBe("third");
    expect(followed?.remedy).toMatchObject({ remediation: { sizing: ["counted", "asked for by runbooks/a.md"] } });
  });

  test("leaves it to the ranking when no cause has its remedy", () => {
    expect(followRunbook(runbook(minimal), answers.slice(0, 2))).toBeUndefined();
  });

  test("that asks for nothing leaves it to people", () => {
    const followed = followRunbook(runbook({ ...minimal, remedy: { kind: "none" } }), answers);
    expect(followed?.remedy).toEqual({ kind: "none", because: "runbooks/a.md leaves this to people" });
  });
});
