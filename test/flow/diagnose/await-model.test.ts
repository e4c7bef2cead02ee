import { expect, test } from "vitest";
import type { Watchtower } from "../../../src/domain/guardrails/watchtower.ts";
import { modelWait } from "../../../src/flow/diagnose/await-model.ts";
import type { Message, Run } from "../../../src/ports/workflow.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anAlert, anIncident } from "../../builders.ts";
import { aWatchtower } from "../../watchtower.ts";

interface World {
  /** One for each look; the last one stays. */
  readonly modes: readonly Watchtower["mode"][];
  readonly alerts?: readonly ("firing" | "resolved")[];
  readonly news?: Readonly<Record<number, Message>>;
  /** How long ago they ended, where somebody said so. */
  readonly endedMs?: number;
}

const now = new Date("2026-11-29T12:00:00Z");

function waiting({ modes, alerts = ["firing"], news = {}, endedMs }: World) {
  const waits: number[] = [];
  let looks = 0;
  const ports = () => {
    const mode = modes[Math.min(looks, modes.length - 1)] ?? "acting";
    looks += 1;
    const endsAt = endedMs === undefined ? undefined : new Date(now.getTime() - endedMs).toISOString();
    const alertsOf = async () => alerts.map((status) => anAlert({ status, endsAt }));
    const around = { clock: { now: () => now }, timings: { lingerMs: 300_000 } };
    return { ...around, records: { alertsOf }, watchtower: aWatchtower({ mode }) } as unknown as Ports;
  };
  const run = {
    timings: { pollMs: 1 },
    step: async (_name: string, work: (ports: Ports) => Promise<unknown>) => work(ports()),
    few: (_severity: string, work: () => Promise<unknown>) => work(),
    message: async (pauseMs: number) => {
      waits.push(pauseMs);
      if (waits.length > 20) throw new Error("waits forever");
      return news[waits.length];
    },
  } as unknown as Run;
  return { wait: modelWait(anIncident(), run), waits };
}

test("it waits while Watchtower mode lasts, ever longer, and then the model is asked again", async () => {
  const { wait, waits } = waiting({ modes: [...Array<"watching">(6).fill("watching"), "acting"] });
  expect(await wait.next()).toBe("ask");
  expect(waits).toEqual([1, 2, 4, 8, 16, 20, 20]);
});

test("a model that fails again, outside of Watchtower mode, is not asked in a hurry", async () => {
  const { wait, waits } = waiting({ modes: ["acting"] });
  for (let count = 0; count < 4; count += 1) expect(await wait.next()).toBe("ask");
  expect(waits).toEqual([1, 2, 4, 8]);
});

test("a message shortens the next wait", async () => {
  const { wait, waits } = waiting({
    modes: ["watching", "watching", "watching", "acting"],
    news: { 3: { kind: "alert" } },
  });
  expect(await wait.next()).toBe("ask");
  expect(waits).toEqual([1, 2, 4, 1]);
});

test("an alert that resolved a moment ago may come back: nobody asks meanwhile, and the incident goes on", async () => {
  await expect(waiting({ modes: ["acting"], alerts: ["resolved"], endedMs: 1_000 }).wait.next()).rejects.toThrow(
    "waits forever",
  );
  expect(await waiting({ modes: ["acting"], alerts: ["resolved"], endedMs: 300_000 }).wait.next()).toBe("resolved");
});

test("when every alert has resolved there is nothing to ask about, also in Watchtower mode", async () => {
  const { wait } = waiting({ modes: ["watching"], alerts: ["resolved", "resolved"] });
  expect(await wait.next()).toBe("resolved");
});

test("one alert that still fires keeps it waiting", async () => {
  const { wait } = waiting({ modes: ["watching"], alerts: ["resolved", "firing"] });
  await expect(wait.next()).rejects.toThrow("waits forever");
});
