import { describe, expect, test } from "vitest";
import { readMemorySource } from "../../../src/adapters/memory/source.ts";
import type { Alert } from "../../../src/domain/incident/alert.ts";
import { openIncident } from "../../../src/domain/incident/incident.ts";
import { postMortemOf, postMortemPath, renderPostMortem, sealOf } from "../../../src/domain/records/post-mortem.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";

const key = "a key of ours";
const web = { kind: "Deployment", namespace: "shop", name: "web" };

function fileOf(day: number, sealed = true): Record<string, string> {
  const startsAt = `2026-11-0${day}T00:00:00.000Z`;
  const labels = { namespace: "shop", deployment: "web" };
  const about = { fingerprint: "f", name: "HighLatency", labels, annotations: {}, generatorUrl: "" };
  const alert: Alert = { ...about, status: "firing", startsAt };
  const incident = openIncident("prod", web, alert);
  const remediation = {
    ...({ kind: "scale", workload: web, change: { kind: "replicas", to: 5 } } as const),
    ...{ from: "2", to: "5", sizing: [] },
  };
  const verification = { kind: "recovered", because: "the alert is resolved", afterMs: 1000 } as const;
  const outcome = { ending: "recovered", because: "it recovered", remediation, verification } as const;
  const record = postMortemOf({ incident, outcome, evidence: [], now: startsAt });
  return { [postMortemPath(incident)]: renderPostMortem(record, sealed ? { seal: sealOf(record, key) } : {}) };
}

describe("the source of the memory", () => {
  test("is every post-mortem under our seal, newest first; the rest is named with its reason", async () => {
    const others = { "postmortems/notes.md": "# not ours", "postmortems/bad.md": "---\n: [\n---\n", "README.md": "x" };
    const tree = treeOf({ ...fileOf(1), ...fileOf(2), ...fileOf(3, false), ...others });
    const { entries, ignored } = await readMemorySource(tree, key);
    expect(entries.map(({ startedAt }) => startedAt.slice(0, 10))).toEqual(["2026-11-02", "2026-11-01"]);
    expect(ignored.map((line) => line.replace(/^postmortems\//, "").replace(/-[0-9a-f]{8}-[0-9a-f-]{27}/, ""))).toEqual(
      ["2026-11-03.md: it does not carry our seal", expect.stringMatching(/^bad\.md: ./), "notes.md: no front matter"],
    );
  });

  test("changes its revision with the post-mortems and with nothing else", async () => {
    const revisionOf = async (files: Record<string, string>) => (await readMemorySource(treeOf(files), key)).revision;
    const before = await revisionOf(fileOf(1));
    expect(await revisionOf({ ...fileOf(1), "README.md": "x" })).toBe(before);
    expect(await revisionOf({ ...fileOf(1), ...fileOf(2) })).not.toBe(before);
  });
});
