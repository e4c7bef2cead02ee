import { expect, test } from "vitest";
import type { ChangeRequest } from "../../../src/flow/gate/change-request.ts";
import { placeOf, waitForSlot } from "../../../src/flow/propose/slot.ts";
import type { Message, Run } from "../../../src/ports/workflow.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import type { ProposalQueue } from "../../../src/ports/records.ts";
import { anAlert } from "../../builders.ts";
import { aCase, aPlan, gatePorts } from "../../plan.ts";

/** A queue that answers in this order, then opens. */
function aQueue(answers: readonly string[]): ProposalQueue {
  const left = [...answers];
  return {
    ask: async () => {
      const because = left.shift();
      return because === undefined ? { kind: "open" } : { kind: "listed", because };
    },
    overview: async () => ({ open: [], listed: [], ready: [], used: { open: 0, lastHour: 0 } }),
    leave: async () => undefined,
    request: async () => undefined,
    unjudged: async () => [],
    judge: async () => undefined,
  };
}

function runOf(
  queue: ProposalQueue | undefined,
  world: {
    resolved?: boolean;
    /** How long ago the alert ended, at each look behind the first; 0 = it fires. */
    endedMs?: readonly number[];
    guardrails?: object;
    rousedAt?: number;
    reasons?: (readonly string[])[];
  } = {},
) {
  const told: string[] = [];
  const stored: unknown[] = [];
  const watched = [...(world.reasons ?? [])];
  const watchtower = {
    state: () => {
      const reasons = watched.shift();
      return { mode: reasons === undefined ? "acting" : "watching", reasons: reasons ?? [] };
    },
  } as unknown as Ports["watchtower"];
  const ports: Ports = {
    ...gatePorts({ guardrails: world.guardrails ?? {} }),
    queue,
    ...(world.reasons === undefined ? {} : { watchtower }),
    telemetry: { log: (_incident, _verb, text) => void told.push(text) },
  };
  const heads = { asked: 0 };
  const head = async () => {
    heads.asked += 1;
    return { sha: "b".repeat(40), tree: await ports.github.at("") };
  };
  const ended = [...(world.endedMs ?? [])];
  const alertsOf = async () => {
    const ago = ended.shift() ?? 0;
    if (ago > 0)
      return [anAlert({ status: "resolved", endsAt: new Date(ports.clock.now().getTime() - ago).toISOString() })];
    return [anAlert({ status: world.resolved ? "resolved" : "firing" })];
  };
  const asked = {
    ...ports,
    timings: { lingerMs: 300_000 } as Ports["timings"],
    github: { ...ports.github, head },
    records: { ...ports.records, alertsOf },
  };
  const waits: number[] = [];
  const run = {
    timings: { pollMs: 1 },
    step: async (_name: string, work: (ports: Ports) => Promise<unknown>) => {
      stored.push(await work(asked));
      return stored.at(-1);
    },
    message: async (pauseMs: number): Promise<Message | undefined> => {
      waits.push(pauseMs);
      if (waits.length > 12) throw new Error("waits forever");
      return world.rousedAt === waits.length ? { kind: "turn" } : undefined;
    },
  } as unknown as Run;
  return { run, told, waits, stored, heads };
}

const cap = "5 pull requests are open (maxOpenPulls)";

test("a free slot lets the proposal go at once", async () => {
  const { run, waits } = runOf(aQueue([]));
  expect(await waitForSlot(aCase(), aPlan(3), run)).toEqual({ kind: "free", waited: false });
  expect(waits).toEqual([]);
});

test("at the cap it waits, says why once, and knows that its plan is old by then", async () => {
  const { run, told, waits } = runOf(aQueue([cap, cap, cap]));
  expect(await waitForSlot(aCase(), aPlan(3), run)).toEqual({ kind: "free", waited: true });
  expect(told).toEqual([`waits: ${cap}`]);
  expect(waits).toEqual([1, 2, 4]);
});

test("each look fetches once, however many guardrails it goes by", async () => {
  const { run, waits, heads } = runOf(aQueue([cap, cap, cap]));
  await waitForSlot(aCase(), aPlan(3), run);
  expect(heads.asked).toBe(waits.length + 1);
});

test("who waits holds no file of its plan, and who is let through at once holds all", async () => {
  const files = [{ path: "tenants.yaml", before: "a", after: "b" }];
  const [at, through] = [
    { ...aPlan(3), files },
    { ...aPlan(3), files },
  ];
  await waitForSlot(aCase(), at, runOf(aQueue([cap])).run);
  expect(at.files).toEqual([]);
  await waitForSlot(aCase(), through, runOf(aQueue([])).run);
  expect(through.files).toBe(files);
});

test("who waits long looks ever more rarely, until something happens", async () => {
  const { run, waits } = runOf(aQueue(Array(9).fill(cap)), { rousedAt: 7 });
  expect(await waitForSlot(aCase(), aPlan(3), run)).toEqual({ kind: "free", waited: true });
  expect(waits).toEqual([1, 2, 4, 8, 16, 20, 20, 1, 2]);
});

test("an alert that resolved meanwhile needs no proposal", async () => {
  const { run } = runOf(aQueue(Array(9).fill(cap)), { resolved: true });
  expect(await waitForSlot(aCase(), aPlan(3), run)).toEqual({
    kind: "not-needed",
    because: "the alert resolved while the proposal waited its turn",
  });
});

test("an alert that resolved a moment ago may come back: it is the same incident, and nothing is opened meanwhile", async () => {
  const back = runOf(aQueue([cap]), { endedMs: [1_000, 200_000, 0] });
  expect(await waitForSlot(aCase(), aPlan(3), back.run)).toEqual({ kind: "free", waited: true });
  expect(back.waits).toHaveLength(3);
  const stays = runOf(aQueue([cap]), { endedMs: [1_000, 200_000, 300_000] });
  expect(await waitForSlot(aCase(), aPlan(3), stays.run)).toMatchObject({ kind: "not-needed" });
});

test("who waits while its class is switched to shadow mode leaves at once, with that reason", async () => {
  const guardrails = { modes: [{ namespace: "payments", mode: "shadow" }] };
  const { run } = runOf(aQueue(Array(9).fill(cap)), { guardrails });
  const workload = { kind: "Deployment", namespace: "payments", name: "ledger" };
  const plan = aPlan(3);
  const elsewhere = { ...plan, remediation: { ...plan.remediation, workload } };
  expect(await waitForSlot(aCase(), elsewhere, run)).toEqual({
    kind: "not-needed",
    because: "shadow mode: nothing is written here (guardrails: mode)",
    shadowed: true,
  });
});

test("the end of a lease does not wait: what was measured for it would be old", async () => {
  const { run, waits } = runOf(aQueue(Array(9).fill(cap)));
  const lease = { renewals: 2 } as ChangeRequest["lease"];
  expect(await waitForSlot(aCase({ lease, closesWhenResolved: false }), aPlan(3), run)).toEqual({
    kind: "not-needed",
    because: cap,
  });
  expect(waits).toEqual([]);
  expect(placeOf(aCase({ lease }))).toMatch(/^[0-9a-f-]{36}\/lease\/2$/);
});

test("a revert never waits", async () => {
  const { run, waits } = runOf(aQueue(Array(9).fill(cap)));
  expect(await waitForSlot(aCase({ failed: { ending: "unclear", because: "no better" } }), aPlan(3), run)).toEqual({
    kind: "free",
    waited: false,
  });
  expect(waits).toEqual([]);
});

test("that Watchtower mode began is told once, however its reasons change, and the caps after it are news", async () => {
  const reasons = [["slow: 41 s"], ["slow: 43 s"], ["slow: 44 s"]];
  const { run, told, stored } = runOf(aQueue([cap]), { reasons });
  expect(await waitForSlot(aCase(), aPlan(3), run)).toEqual({ kind: "free", waited: true });
  expect(told).toEqual(["waits: Watchtower mode: slow: 41 s", `waits: ${cap}`]);
  // What is on record keeps the form of the releases before.
  const watching = ["41", "43", "44"].map((seconds) => `Watchtower mode: slow: ${seconds} s`);
  expect(stored).toEqual([...watching, cap, undefined]);
});

test("invalid guardrails open nothing", async () => {
  const { run } = runOf(aQueue([]), { guardrails: { maxReplica: 1 } });
  await expect(waitForSlot(aCase(), aPlan(3), run)).rejects.toThrow("waits forever");
});
