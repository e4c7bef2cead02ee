import { describe, expect, test } from "vitest";
import type { Entry } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { firesForAny, firing } from "../../../src/domain/incident/firing.ts";
import type { Concern } from "../../../src/domain/incident/incident.ts";
import type { WorkloadState } from "../../../src/domain/kubernetes/workload-state.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";
import { ownConcerns } from "../../../src/server/several/own-concerns.ts";
import { anAlert, anIncident } from "../../builders.ts";

const shop = { owner: "acme", repo: "shop" };
const bank = { owner: "acme", repo: "bank", mirrors: ["https://git.example/mirrors/ledger"] };
const all = [shop, bank];
const { workload } = anIncident();
const placed: Concern = { kind: "workload", workload, way: "label deployment" };
const entry = (repository?: string): Entry => ({
  ...{ tool: "flux", path: "apps", object: "Kustomization flux-system/apps" },
  ...(repository === undefined ? {} : { repository }),
});

type Source = Entry | "absent" | Error;

/** What the processes of both repositories, in the order of the list, make of an alert. */
async function heard(source: Source, concern: Concern | Concern[] = placed, chartIn?: string): Promise<Concern[]> {
  const cluster = {
    workload: async () => (source === "absent" ? undefined : ({ ...workload, replicas: 2 } as WorkloadState)),
    entryOf: async () => {
      if (source instanceof Error) throw source;
      return source as Entry;
    },
  };
  const clock = { now: () => new Date(0) };
  const declaring = { ...cluster, declaredIn: async () => chartIn };
  const concerns = Array.isArray(concern) ? concern : all.map(() => concern);
  const processes = all.map((own, index) =>
    ownConcerns({ of: async () => concerns[index] ?? placed }, { own, all, cluster: declaring, clock }),
  );
  return Promise.all(processes.map((each) => each.of(anAlert())));
}

describe("of several processes one sees to an alert", () => {
  test.each([
    ["https://github.com/acme/shop", ["workload", "beside"]],
    ["git@github.com:Acme/Bank.git", ["beside", "workload"]],
    ["https://git.example/mirrors/ledger.git", ["beside", "workload"]],
    ["https://github.com/other/farm", ["nobody", "beside"]],
  ])("whose workload is read from %s", async (repository, kinds) => {
    expect((await heard(entry(repository))).map(({ kind }) => kind)).toEqual(kinds);
  });

  test.each([
    ["a source without an address", entry(), /address .* is not known/],
    ["no mark of a controller", { tool: "unknown", path: null } as Entry, /no GitOps controller marks/],
    ["a workload that is gone", "absent" as const, /is not on the cluster/],
    ["a chart", { ...entry("https://charts.example"), path: null }, /installs a chart/],
  ])("the first puts on record what nobody can tell: %s", async (_, source, because) => {
    const [first, second] = await heard(source);
    expect(first).toMatchObject({ kind: "nobody", because: expect.stringMatching(because), workload });
    expect(second).toMatchObject({ kind: "beside" });
  });
});

test("a chart belongs where its values are decided, and not where charts come from", async () => {
  const chart = { ...entry("https://charts.example"), path: null };
  const kinds = async (chartIn: string) => (await heard(chart, placed, chartIn)).map(({ kind }) => kind);
  expect(await kinds("https://github.com/acme/bank")).toEqual(["beside", "workload"]);
  expect(await kinds("https://github.com/other/farm")).toEqual(["nobody", "beside"]);
});

test("the line that would help lists all of them", async () => {
  const [first] = await heard(entry("https://github.com/other/farm"));
  expect(first).toMatchObject({
    because: expect.stringContaining("https://github.com/other/farm"),
    line: expect.stringContaining("RECTIFY_REPOSITORY=acme/shop,acme/bank,other/farm"),
  });
});

test("a cluster that gives no answer leaves it open for all", async () => {
  const concerns = await heard(new Unavailable("the API server is away"));
  expect(concerns.map(({ kind }) => kind)).toEqual(["unknown", "unknown"]);
});

test("a workload that nobody can read is on record, and leaves the recovery of others provable", async () => {
  const concerns = await heard(new Refused("workloads of kind Cluster are not supported"));
  const because = "workloads of kind Cluster are not supported";
  expect(concerns[0]).toEqual({ kind: "nobody", because, line: expect.stringMatching(/Rectify can read/), workload });
  expect(concerns[1]).toMatchObject({ kind: "beside", workload });
  const other = { ...workload, name: `not-${workload.name}` };
  for (const concern of concerns) {
    const active = [{ alert: anAlert(), concern }];
    const alerts = [anAlert({ fingerprint: "of another pod" })];
    expect(firing({ workload: other, alerts }, active)).toBe(false);
    expect(firesForAny([other], active)).toBe(false);
    expect(firesForAny([workload], active)).toBe(true);
  }
});

describe("what guardrails say of an alert is on record where they are", () => {
  const mapping = "alerts[2] of the guardrails";
  const mapped: Concern = { ...placed, way: `${mapping}: {namespace}/Deployment/web`, mapping };
  const nobody: Concern = { kind: "nobody", because: "no label", line: "alerts:" };

  test("a mapping to a workload of another repository is to be moved there", async () => {
    const [shops, banks] = await heard(entry("https://github.com/acme/bank"), [mapped, nobody]);
    expect(shops).toEqual({
      ...{ kind: "nobody", workload, line: "move alerts[2] of the guardrails to the guardrails of acme/bank" },
      because: expect.stringMatching(
        /^alerts\[2\] of the guardrails maps it to .*, which the repository acme\/bank declares$/,
      ),
    });
    expect(banks).toMatchObject({ kind: "beside" });
    const [, other] = await heard(entry("https://github.com/acme/shop"), [nobody, mapped]);
    expect(other).toMatchObject({ kind: "nobody", line: expect.stringContaining("acme/shop") });
  });

  test("a mapping to a workload of this repository leads there", async () => {
    const concerns = await heard(entry("https://github.com/acme/bank"), [nobody, mapped]);
    expect(concerns).toEqual([nobody, mapped]);
  });

  test("a mapping that leads to no repository of the list, or is wrong, is not left to the first", async () => {
    const [, banks] = await heard(entry("https://github.com/other/farm"), [placed, mapped]);
    expect(banks).toMatchObject({ kind: "nobody", workload });
    const wrong: Concern = { ...nobody, mapping };
    expect((await heard(entry(), [nobody, wrong]))[1]).toEqual(wrong);
  });

  test("an alert that a repository ignores is not told as left to another one", async () => {
    const ignored: Concern = { kind: "ignored", because: mapping };
    expect((await heard(entry(), [nobody, ignored]))[1]).toEqual(ignored);
  });
});

test("what leads to no workload is the first one's alone, and open is open for each", async () => {
  const nobody: Concern = { kind: "nobody", because: "no label", line: "alerts:" };
  expect((await heard(entry(), nobody)).map(({ kind }) => kind)).toEqual(["nobody", "beside"]);
  const unknown: Concern = { kind: "unknown", because: "away" };
  expect(await heard(entry(), unknown)).toEqual([unknown, unknown]);
});

test("an alert that another process sees to still fires for its workload", async () => {
  const [first, second] = await heard(entry("https://github.com/acme/bank"));
  const incident = { workload, alerts: [anAlert({ fingerprint: "of-an-older-pod" })] };
  for (const concern of [first, second])
    expect(firing(incident, concern && [{ alert: anAlert({ fingerprint: "of-a-new-pod" }), concern }])).toBe(true);
});

test("a workload that moves is followed within a minute", async () => {
  let [now, repository] = [0, "https://github.com/acme/shop"];
  const cluster = {
    workload: async () => ({ ...workload, replicas: 2 }) as WorkloadState,
    entryOf: async () => entry(repository),
    declaredIn: async () => undefined,
  };
  const clock = { now: () => new Date(now) };
  const concerns = ownConcerns({ of: async () => placed }, { own: shop, all, cluster, clock });
  expect(await concerns.of(anAlert())).toEqual(placed);
  repository = "https://github.com/acme/bank";
  now = 61_000;
  expect(await concerns.of(anAlert())).toMatchObject({ kind: "beside" });
});
