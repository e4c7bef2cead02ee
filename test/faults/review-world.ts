import { bodyHashOf } from "../../src/domain/guardrails/commenter.ts";
import type { Proposal, ProposalDraft } from "../../src/domain/proposal/pull-request.ts";
import { type ReviewOutcome, decide } from "../../src/flow/decide/decide.ts";
import type { Pending } from "../../src/flow/decide/pending.ts";
import type { Fault, ForgeOptions } from "../../src/lab/forge/forge.ts";
import type { Message, Run } from "../../src/ports/workflow.ts";
import type { Ports } from "../../src/ports/ports.ts";
import type { Timings } from "../../src/ports/timings.ts";
import { Unavailable } from "../../src/ports/errors.ts";
import type { ShadowLatch } from "../../src/server/jobs/shadow/shadow-latch.ts";
import { aLatch } from "../latch.ts";
import { aWatchtower } from "../watchtower.ts";
import { anAlert, anIncident } from "../builders.ts";
import { aDraft, ci, connect, startShop, type Session } from "../lab/forge-shop.ts";
import { concernsIn } from "../concerns.ts";

interface AuditLine {
  readonly actor: string;
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** How many calls the forge had answered when this row was written. */
  readonly callsBefore: number;
}

/** One open proposal on a real forge, the real adapter, and the flow's own `decide`. */
export interface ReviewWorld {
  readonly forge: Awaited<ReturnType<typeof startShop>>;
  readonly session: Session;
  readonly draft: ProposalDraft;
  readonly proposal: Proposal;
  readonly audit: AuditLine[];
  readonly told: string[];
  /** A person writes; the answer is what the webhook of the creation would bring. */
  says(login: string, body: string): Promise<Extract<Message, { kind: "command" }>>;
  /** Runs `decide` over the messages, then over quiet looks; undefined = it still waits. */
  decides(messages: readonly Message[], changes?: Deciding): Promise<ReviewOutcome | undefined>;
  /** People change the guardrails on the default branch. */
  turnTo(changes: object | string): Promise<void>;
  /** Lets time pass on GitHub's clock, which counts in seconds. */
  later(milliseconds: number): void;
  /** How often the merge was asked of GitHub. */
  mergeCalls(): number;
  isMerged(): Promise<boolean>;
  close(): Promise<void>;
}

interface Deciding {
  readonly pending?: Partial<Pending>;
  readonly quietLooks?: number;
  /** True = Watchtower mode. */
  readonly watching?: boolean;
  /** In place of messages: what the alert did, and when, from the first look on. */
  readonly alert?: AlertCourse;
  readonly pollMs?: number;
  /** In place of an Alertmanager that answers. */
  readonly alerts?: Ports["alerts"];
}

/** The alert fires and resolves in turn, each for so long; every change is told by a message. */
interface AlertCourse {
  readonly turnsMs: readonly number[];
}

const guardrails = (more: object) =>
  `${JSON.stringify({ namespaces: ["shop-production"], maxReplicas: 10, ...more })}\n`;

/** Opens a proposal whose required check is green, unless told otherwise. */
async function openWorld(
  options: {
    green?: boolean;
    guardrails?: object;
    draft?: Partial<ProposalDraft>;
    shop?: Partial<ForgeOptions>;
    /** With the last door of shadow mode. */
    latched?: true;
  } = {},
): Promise<ReviewWorld> {
  let ahead = 0;
  const forge = await startShop({
    now: () => new Date(Date.now() + ahead),
    files: {
      "apps/web.yaml": "replicas: 2\n",
      "README.md": "shop\n",
      ".github/rectify.yml": guardrails(options.guardrails ?? {}),
    },
    ...options.shop,
  });
  const door = (): ShadowLatch => latch;
  const mayNotWrite = options.latched && ((...call: Parameters<ShadowLatch["refusal"]>) => door().refusal(...call));
  const session = await connect(forge, undefined, undefined, mayNotWrite);
  const { workload, alert } = anIncident();
  const latch = aLatch(() => session.mirror.head(), {
    subject: { alert: alert.name, namespaces: [workload.namespace], remedy: undefined },
  });
  const draft = await aDraft(forge, options.draft);
  const proposal = await session.host.publish(draft);
  if (options.green !== false) {
    await forge.reportCheck({ sha: proposal.headSha, name: "ci", appId: ci, conclusion: "success" });
  }
  const audit: AuditLine[] = [];
  const told: string[] = [];
  let waited = 0;
  let course: AlertCourse = { turnsMs: [] };
  const ports = portsOf(session, {
    ...{ audit, told, calls: () => forge.calls.length, turns: () => turnsBy(course, waited) },
    now: () => new Date(Date.now() + waited),
  });
  const wait = (milliseconds: number) => {
    waited += milliseconds;
  };
  return {
    ...{ forge, session, draft, proposal, audit, told },
    turnTo: async (changes) => {
      await forge.push(
        { ".github/rectify.yml": typeof changes === "string" ? changes : guardrails(changes) },
        { message: "other guardrails", author: "ada" },
      );
    },
    says: async (login, body) => {
      const comment = await forge.comment(proposal.number, login, body);
      return { kind: "command", comment, bodyHash: bodyHashOf(body) };
    },
    decides: (messages, changes = {}) => {
      course = changes.alert ?? course;
      const changesAt = course.turnsMs.map((_, index) => sum(course.turnsMs.slice(0, index + 1)));
      const news = (untilMs: number) => changesAt.find((at) => at > waited && at <= untilMs);
      return decided(
        { ...pendingOf(proposal), ...changes.pending },
        runOf(
          {
            ...ports,
            ...(changes.watching ? { watchtower: aWatchtower() } : {}),
            ...(changes.alerts ? { alerts: changes.alerts } : {}),
          },
          [...messages, ...Array<undefined>(changes.quietLooks ?? 0)],
          (timeoutMs) => {
            const at = news(waited + timeoutMs);
            wait(at === undefined ? timeoutMs : at - waited);
            return at === undefined ? undefined : { kind: "alert" };
          },
          changes.pollMs,
        ),
      );
    },
    later: (milliseconds) => {
      ahead += milliseconds;
    },
    mergeCalls: () => forge.calls.filter((call) => call.method === "PUT" && call.path.endsWith("/merge")).length,
    isMerged: async () => (await forge.pull(proposal.number)).merged,
    close: () => forge.close(),
  };
}

/** Opens a world, runs the check, and closes it in any case. */
export async function inReview(
  options: Parameters<typeof openWorld>[0],
  check: (world: ReviewWorld) => Promise<void>,
): Promise<void> {
  const world = await openWorld(options);
  try {
    await check(world);
  } finally {
    await world.close();
  }
}

/** Lets the calls that fit go wrong. */
export function failing(method: string, path: RegExp, fault: Fault) {
  return (call: { method: string; path: string }) =>
    call.method === method && path.test(call.path) ? fault : undefined;
}

class StillWaiting extends Error {}

async function decided(pending: Pending, run: Run): Promise<ReviewOutcome | undefined> {
  try {
    return await decide(pending, run);
  } catch (error) {
    if (error instanceof StillWaiting) return undefined;
    throw error;
  }
}

function pendingOf(proposal: Proposal): Pending {
  return {
    incident: anIncident(),
    proposal,
    remedy: "scale",
    selfMergeLacks: ["the guardrails allow no auto-merge"],
    approvedBy: undefined,
    closesWhenResolved: true,
    canReplan: true,
  };
}

const timings = {
  ...{ pollMs: 15_000, lookbackMs: 1, rateWindow: "5m", settleMs: 1, decideTimeoutMs: 3 * 86_400_000 },
  ...{ syncTimeoutMs: 1, verifyTimeoutMs: 1, modelDeadlineMs: 1, lingerMs: 5 * 60_000 },
} as Timings;

/** As the engine does: `Unavailable` is repeated, here three times, then the workflow still waits. */
function runOf(
  ports: Ports,
  messages: (Message | undefined)[],
  wait: (milliseconds: number) => Message | undefined,
  pollMs = timings.pollMs,
): Run {
  return {
    timings: { ...timings, pollMs },
    step: async (_name, work) => {
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        try {
          return await work(ports);
        } catch (error) {
          if (!(error instanceof Unavailable)) throw error;
        }
      }
      throw new StillWaiting();
    },
    few: (_severity, work) => work(),
    message: async (timeoutMs) => {
      if (messages.length === 0) throw new StillWaiting();
      return messages.shift() ?? wait(timeoutMs);
    },
  };
}

interface Records {
  readonly audit: AuditLine[];
  readonly told: string[];
  readonly calls: () => number;
  /** How often the alert has changed by now: it fires at first. */
  readonly turns: () => number;
  readonly now: () => Date;
}

function turnsBy({ turnsMs }: AlertCourse, waited: number): number {
  return turnsMs.filter((_, index) => sum(turnsMs.slice(0, index + 1)) <= waited).length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** The ports that deciding uses; asking any other is an error of the case. */
function portsOf(session: Session, { audit, told, calls, turns, now }: Records): Ports {
  const alert = () => anAlert({ status: turns() % 2 === 0 ? "firing" : "resolved" });
  const used: Partial<Ports> = {
    github: session.host,
    people: session.people,
    alerts: { active: async () => (turns() % 2 === 0 ? [alert()] : []) },
    concerns: concernsIn(),
    records: {
      audit: async ({ actor, action, detail }: AuditLine) =>
        void audit.push({ actor, action, detail, callsBefore: calls() }),
      alertsOf: async () => [alert()],
      firingsSince: async () => 1 + Math.floor(turns() / 2),
    } as unknown as Ports["records"],
    clock: { now },
    telemetry: { log: (_incident, _verb, text) => void told.push(text) },
    timings,
  };
  return used as Ports;
}
