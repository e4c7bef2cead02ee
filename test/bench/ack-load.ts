import { request, Agent } from "node:http";
import type { Durable } from "../../src/adapters/dbos/durable.ts";
import { listen } from "../../src/adapters/http/listener.ts";
import { openStore } from "../../src/adapters/postgres/store.ts";
import { openInbox } from "../../src/server/inbox.ts";
import { internalRoutes } from "../../src/server/routes.ts";
import { aDelivery, anAlert } from "../builders.ts";
import { concernsIn } from "../concerns.ts";

interface AckLoad {
  readonly url: string;
  readonly alertsPerSecond: number;
  readonly groupSize: number;
  readonly workloads: number;
  readonly seconds: number;
}

interface AckResult {
  readonly posts: number;
  readonly alerts: number;
  readonly accepted: number;
  readonly stored: number;
  readonly refused: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** From the last accepted delivery until nothing waited. */
  readonly emptiedAfterMs: number;
  /** From a critical alert, sent when the load ended, until its workflow was started. */
  readonly newestAtWorkMs: number;
  readonly started: number;
  readonly rssMb: number;
}

/**
 * Open loop: each post has its intended time, and its latency is counted from that, however late it left. The intake is
 * the real one on a real Postgres; the engine is a stand-in that counts what it is asked to start.
 */
export async function ackLoad(load: AckLoad): Promise<AckResult> {
  const store = await openStore(load.url);
  const started = new Map<string, number>();
  const durable = {
    start: async (workflow: string) => void started.set(workflow, performance.now()),
    send: async () => undefined,
  } as unknown as Durable;
  const inbox = openInbox({
    ...{ store, durable, cluster: "bench", holder: "bench", telemetry: { log: () => undefined } },
    concerns: concernsIn(),
    ...{ alerts: { active: async () => [] }, runLateCommand: async () => undefined },
    app: () => ({ receive: async () => undefined }),
  });
  const token = "bench-token-of-thirty-two-bytes!";
  const routes = internalRoutes({ store, notify: inbox.notify, app: { verify: async () => true }, alertsToken: token });
  const server = await listen(routes, { host: "127.0.0.1", port: 0 });
  try {
    const sent = await sendAll(load, { port: server.port, token });
    const lastAccepted = performance.now();
    const critical = anAlert({ fingerprint: "newest", labels: labelsOf("newest", "critical") });
    await post({ port: server.port, token }, JSON.stringify(aDelivery([critical])));
    const before = started.size;
    await until(async () => started.size > before || (await isOpen(store, "newest")));
    const newestAtWorkMs = performance.now() - lastAccepted;
    await until(async () => (await store.waitingCount()) === 0);
    const stored = (await store.firingAlerts("bench")).length - 1;
    return {
      ...summary(load, sent),
      stored,
      started: started.size,
      newestAtWorkMs: Math.round(newestAtWorkMs),
      emptiedAfterMs: Math.round(performance.now() - lastAccepted),
      rssMb: Math.round(process.memoryUsage().rss / 1e6),
    };
  } finally {
    await server.close();
    await inbox.close();
    await store.close();
  }
}

const isOpen = async (store: Awaited<ReturnType<typeof openStore>>, name: string) =>
  (await store.openIncidentOf(`shop/Deployment/${name}`, "bench"))?.started === true;

const labelsOf = (deployment: string, severity: string) => ({
  ...{ alertname: "HighRequestLatency", namespace: "shop", deployment, severity },
});

interface Sent {
  readonly status: number;
  readonly ms: number;
}

async function sendAll(load: AckLoad, target: Target): Promise<readonly Sent[]> {
  const posts = Math.round((load.alertsPerSecond / load.groupSize) * load.seconds);
  const gapMs = (1000 * load.groupSize) / load.alertsPerSecond;
  const begun = performance.now();
  const sending: Promise<Sent>[] = [];
  for (let index = 0; index < posts; index += 1) {
    const due = begun + index * gapMs;
    const early = due - performance.now();
    if (early > 0) await new Promise((resume) => setTimeout(resume, early));
    sending.push(post(target, bodyOf(load, index)).then((status) => ({ status, ms: performance.now() - due })));
  }
  return Promise.all(sending);
}

function bodyOf({ groupSize, workloads }: AckLoad, post: number): string {
  const alerts = Array.from({ length: groupSize }, (_, place) => {
    const number = post * groupSize + place;
    return anAlert({
      fingerprint: `f${number}`,
      labels: labelsOf(`w${number % workloads}`, number % 10 === 0 ? "critical" : "warning"),
    });
  });
  return JSON.stringify(aDelivery(alerts));
}

interface Target {
  readonly port: number;
  readonly token: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 200 });

function post({ port, token }: Target, body: string): Promise<number> {
  return new Promise((done) => {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    };
    const call = request({ host: "127.0.0.1", port, path: "/alerts", method: "POST", agent, headers }, (answer) => {
      answer.resume();
      answer.once("end", () => done(answer.statusCode ?? 0));
    });
    call.once("error", () => done(0));
    call.end(body);
  });
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  while (!(await reached())) await new Promise((resume) => setTimeout(resume, 20));
}

function summary({ groupSize }: AckLoad, sent: readonly Sent[]) {
  const accepted = sent.filter(({ status }) => status === 202);
  const times = accepted.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)] ?? 0);
  return {
    ...{ posts: sent.length, alerts: sent.length * groupSize, accepted: accepted.length * groupSize },
    ...{ refused: sent.length - accepted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
  };
}
