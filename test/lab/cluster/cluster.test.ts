import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { readAlertDelivery } from "../../../src/domain/incident/alert.ts";
import { erlangC, serve } from "../../../src/lab/cluster/simulation/service-model.ts";
import { plainService } from "../../../src/lab/cluster/simulation/shop.ts";
import type { ClusterOptions, SimulatedCluster } from "../../../src/lab/cluster/cluster.ts";
import { openShop, type ShopSpec } from "../cluster-shop.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((item) => item.close()));
});

async function shop(options: Partial<ClusterOptions> = {}, first: ShopSpec = {}) {
  const opened = await openShop(options, first);
  open.push(opened.cluster);
  return opened;
}

/** A short past, for what looks at no trend. */
const young = { historyMs: 4_000 };

async function get(url: string): Promise<{ status: number; body: Record<string, never> }> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

const namesFiring = (cluster: SimulatedCluster) =>
  cluster.firing().map((alert) => `${alert.name} ${alert.labels.deployment}`);

describe("the queue", () => {
  test.each([
    // One server: the probability to wait is the load.
    [1, 0.5, 0.5],
    // Two servers with 1 erlang: B = (1/2) / (1 + 1 + 1/2) = 0.2; C = 0.2 / (1 - 0.5 × 0.8) = 1/3.
    [2, 1, 1 / 3],
    [3, 0, 0],
    [3, 4, 1],
  ])("Erlang C of %d servers with %f erlangs is %f", (servers, erlangs, expected) => {
    expect(erlangC(servers, erlangs)).toBeCloseTo(expected, 10);
  });

  const loaded = (replicas: number, offered: number, backlog = 0) =>
    serve({
      model: plainService,
      burden: { capacityFactor: 1, extraMs: 0, extraErrorShare: 0, cpuFactor: 1 },
      ...{ readyReplicas: replicas, usefulReplicas: replicas, cpuLimit: undefined, offered, backlog, seconds: 1 },
    });
  const p99 = ({ latencyMs }: { latencyMs: readonly number[] }) => latencyMs[Math.floor(latencyMs.length * 0.99)] ?? 0;

  test("latency grows with utilisation and falls with every replica", () => {
    const byLoad = [50, 120, 170, 190, 197].map((offered) => p99(loaded(2, offered)));
    expect(byLoad).toEqual([...byLoad].sort((a, b) => a - b));
    const byReplicas = [2, 3, 4].map((replicas) => p99(loaded(replicas, 190)));
    expect(byReplicas).toEqual([...byReplicas].sort((a, b) => b - a));
    expect(byReplicas[1]).toBeLessThan((byReplicas[0] ?? 0) / 2);
  });

  test("beyond saturation a backlog builds up, then callers lose patience", () => {
    const first = loaded(2, 260);
    expect(first.backlog).toBe(60);
    expect(first.timedOut).toBe(0);
    const later = loaded(2, 260, 200);
    expect(later).toMatchObject({ backlog: 200, timedOut: 60, served: 200 });
    expect(later.failedShare).toBeCloseTo(60 / 260, 2);
  });

  test("without a ready replica every request fails", () => {
    expect(loaded(0, 10).failedShare).toBe(1);
  });
});

describe("the course of an incident", () => {
  test("a quiet shop is synced and nothing fires", async () => {
    const { cluster } = await shop();
    await cluster.advance(2_000);
    expect(cluster.isSynced()).toBe(true);
    expect(cluster.firing()).toEqual([]);
    expect(cluster.stateOf("web")).toMatchObject({ replicas: 2, readyReplicas: 2 });
  });

  test("a peak makes the alert fire; merged replicas make it resolve", async () => {
    const { cluster, merge } = await shop();
    cluster.setLoad("web", 260);
    await cluster.advance(4_000);
    expect(namesFiring(cluster)).toContain("HighRequestLatency web");
    const before = cluster.stateOf("web").p99Ms;
    const sha = merge({ web: 5 });
    await cluster.advance(10_000);
    expect(cluster.appliedRevision()).toBe(sha);
    expect(cluster.stateOf("web").readyReplicas).toBe(5);
    expect(cluster.stateOf("web").p99Ms).toBeLessThan(before / 5);
    expect(cluster.firing()).toEqual([]);
  });

  test("new pods take their time to become ready", async () => {
    const { cluster, merge } = await shop({ ...young, podStartMs: 2_000 });
    merge({ web: 4 });
    await cluster.advance(1_500);
    expect(cluster.stateOf("web")).toMatchObject({ replicas: 4, readyReplicas: 2 });
    expect(cluster.isSynced()).toBe(false);
    await cluster.advance(2_000);
    expect(cluster.stateOf("web").readyReplicas).toBe(4);
  });

  test("behind a lock more replicas do not help", async () => {
    const { cluster, merge } = await shop({ ...young, noHelp: "web" });
    cluster.setLoad("web", 260);
    await cluster.advance(4_000);
    merge({ web: 6 });
    await cluster.advance(10_000);
    expect(cluster.stateOf("web").readyReplicas).toBe(6);
    expect(namesFiring(cluster)).toContain("HighRequestLatency web");
  });

  test("a bad image hurts from its rollout on, and its revert heals", async () => {
    const effect = { extraErrorShare: 0.3 };
    const { cluster, merge } = await shop({ badImages: [{ workload: "web", tag: "1.1.0", effect }] });
    await cluster.advance(1_000);
    expect(cluster.firing()).toEqual([]);
    merge({ webTag: "1.1.0" });
    await cluster.advance(6_000);
    expect(namesFiring(cluster)).toContain("HighErrorRate web");
    merge({});
    await cluster.advance(8_000);
    expect(cluster.firing()).toEqual([]);
  });

  test("a noisy neighbour slows the workloads that call it", async () => {
    const { cluster } = await shop(young);
    const before = cluster.stateOf("web").p99Ms;
    cluster.setLoad("catalog", 700);
    await cluster.advance(4_000);
    expect(cluster.stateOf("catalog").utilisation).toBeGreaterThan(1);
    expect(cluster.stateOf("web").utilisation).toBeLessThan(0.5);
    expect(cluster.stateOf("web").p99Ms).toBeGreaterThan(before * 2);
    expect(namesFiring(cluster)).toContain("HighRequestLatency web");
  });

  test("a quota refuses pods and says so in an event", async () => {
    const { cluster, merge } = await shop(young, { quotaCpu: "2" });
    merge({ web: 6, quotaCpu: "2" });
    await cluster.advance(3_000);
    expect(cluster.stateOf("web").readyReplicas).toBeLessThan(6);
    const { body } = await get(`${cluster.urls.kubernetes}/api/v1/namespaces/shop-production/events`);
    const messages = (body.items as unknown as { reason: string; message: string }[]).filter(
      (event) => event.reason === "FailedCreate",
    );
    expect(messages[0]?.message).toMatch(/exceeded quota: shop, requested: requests\.cpu=250m, used: .*limited: /);
  });

  test("the autoscaler follows the load up to its maximum, and Git's silence on replicas leaves it alone", async () => {
    const { cluster, merge } = await shop(young, { checkoutMax: 4 });
    cluster.setLoad("checkout", 240);
    await cluster.advance(6_000);
    expect(cluster.stateOf("checkout")).toMatchObject({ replicas: 4, readyReplicas: 4 });
    merge({ checkoutMax: 4, web: 3 });
    await cluster.advance(2_000);
    expect(cluster.stateOf("checkout").replicas).toBe(4);
    merge({ checkoutMax: 8, web: 3 });
    await cluster.advance(6_000);
    expect(cluster.stateOf("checkout").replicas).toBeGreaterThan(4);
  });

  test("a slow rise is predicted before it hurts, a step is not", async () => {
    const load = (name: string, t: number) => (name === "web" ? 60 + Math.max(0, t) * 4 : 0);
    const { cluster } = await shop({ load });
    const seen: string[] = [];
    for (let second = 0; second < 24 && !seen.includes("PredictiveSaturation web"); second += 1) {
      await cluster.advance(1_000);
      seen.push(...namesFiring(cluster));
    }
    expect(seen[0]).toBe("PredictiveSaturation web");
    const { cluster: stepped } = await shop();
    stepped.setLoad("web", 150);
    for (let second = 0; second < 15; second += 1) {
      await stepped.advance(1_000);
      expect(namesFiring(stepped)).toEqual([]);
    }
  });

  test("a suspended sync leaves the cluster as it is", async () => {
    const { cluster, merge } = await shop(young);
    cluster.suspendSync(true);
    merge({ web: 4 });
    await cluster.advance(2_000);
    expect(cluster.stateOf("web").replicas).toBe(2);
    cluster.suspendSync(false);
    await cluster.advance(2_000);
    expect(cluster.stateOf("web").replicas).toBe(4);
  });

  test("the same seed tells the same course", async () => {
    const run = async () => {
      const { cluster } = await shop({ ...young, seed: 7 });
      cluster.setLoad("web", 190);
      await cluster.advance(3_000);
      return cluster.stateOf("web");
    };
    expect(await run()).toEqual(await run());
  });
});

describe("the webhook of Alertmanager", () => {
  interface Received {
    readonly authorization: string | undefined;
    readonly body: Record<string, unknown> & { alerts: Record<string, unknown>[] };
  }

  async function receiver(statusOf: (nth: number) => number = () => 202) {
    const received: Received[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Received["body"];
        received.push({ authorization: request.headers.authorization, body });
        response.writeHead(statusOf(received.length)).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open.push({
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`;
    return { received, webhook: { url, token: "secret" } };
  }

  const slowOnly = (status: string) => (item: Received) =>
    item.body.status === status && item.body.alerts[0] !== undefined && alertName(item) === "HighRequestLatency";
  const alertName = ({ body }: Received) => (body.groupLabels as Record<string, string>).alertname;

  test("has the documented shape, firing and resolved", async () => {
    const { received, webhook } = await receiver();
    const { cluster } = await shop({ alertWebhook: webhook });
    cluster.setLoad("web", 200);
    await cluster.advance(4_000);
    cluster.setLoad("web", 60);
    await cluster.advance(8_000);
    const firing = received.find(slowOnly("firing"));
    expect(firing?.authorization).toBe("Bearer secret");
    const labels = {
      ...{ alertname: "HighRequestLatency", severity: "critical" },
      ...{ namespace: "shop-production", deployment: "web" },
    };
    expect(firing?.body).toEqual({
      version: "4",
      groupKey: '{}:{alertname="HighRequestLatency", namespace="shop-production", deployment="web"}',
      truncatedAlerts: 0,
      status: "firing",
      receiver: "rectify",
      groupLabels: { alertname: "HighRequestLatency", namespace: "shop-production", deployment: "web" },
      commonLabels: labels,
      commonAnnotations: expect.objectContaining({ summary: "web in shop-production answers slowly" }),
      externalURL: expect.stringMatching(/^http/),
      alerts: [
        {
          status: "firing",
          labels,
          annotations: expect.objectContaining({ summary: expect.any(String) }),
          startsAt: expect.stringMatching(/^\d{4}-.*Z$/),
          endsAt: "0001-01-01T00:00:00Z",
          generatorURL: expect.stringContaining("/graph?g0.expr="),
          fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        },
      ],
    });
    const resolved = received.find(slowOnly("resolved"));
    expect(resolved?.body.alerts[0]).toMatchObject({
      status: "resolved",
      fingerprint: firing?.body.alerts[0]?.fingerprint,
      startsAt: firing?.body.alerts[0]?.startsAt,
    });
    expect(readAlertDelivery(firing?.body)).toMatchObject({ kind: "alerts", truncated: 0 });
  });

  test("comes from every peer, is repeated, and says once that the alert is over", async () => {
    const { received, webhook } = await receiver();
    const { cluster } = await shop({ ...young, alertWebhook: webhook, peers: 3, repeatMs: 2_000 });
    cluster.setLoad("web", 195);
    await cluster.advance(3_000);
    const first = received.filter(slowOnly("firing")).length;
    expect(first % 3).toBe(0);
    expect(first).toBeGreaterThan(0);
    await cluster.advance(3_000);
    expect(received.filter(slowOnly("firing")).length).toBeGreaterThan(first);
    cluster.setLoad("web", 60);
    await cluster.advance(8_000);
    expect(received.filter(slowOnly("resolved"))).toHaveLength(3);
  });

  test.each([
    [503, 2],
    [429, 1],
    [400, 1],
  ])("an answer of %d at first makes %d attempts", async (status, attempts) => {
    const { received, webhook } = await receiver((nth) => (nth === 1 ? status : 202));
    const { cluster } = await shop({ ...young, alertWebhook: webhook });
    cluster.setLoad("web", 195);
    for (let tries = 0; tries < 60 && received.length === 0; tries += 1) await cluster.advance(100);
    expect(received).toHaveLength(attempts);
  });
});

describe("the APIs", () => {
  test("Prometheus answers queries, rules, alerts and labels in its own format", async () => {
    const { cluster } = await shop();
    cluster.setLoad("web", 195);
    await cluster.advance(4_000);
    const base = cluster.urls.prometheus;
    const ready = encodeURIComponent('kube_deployment_status_replicas_ready{deployment="web"}');
    const at = cluster.now().getTime() / 1000;
    const instant = await get(`${base}/api/v1/query?query=${ready}&time=${at}`);
    expect(instant.body).toMatchObject({
      status: "success",
      data: { resultType: "vector", result: [{ metric: { deployment: "web" }, value: [at, "2"] }] },
    });
    const range = await get(`${base}/api/v1/query_range?query=${ready}&start=${at - 2}&end=${at}&step=1`);
    expect(range.body).toMatchObject({
      data: {
        resultType: "matrix",
        result: [
          {
            values: [
              [at - 2, "2"],
              [at - 1, "2"],
              [at, "2"],
            ],
          },
        ],
      },
    });
    const rules = await get(`${base}/api/v1/rules?type=alert`);
    expect(rules.body).toMatchObject({
      data: {
        groups: [
          {
            rules: expect.arrayContaining([
              expect.objectContaining({ name: "HighRequestLatency", state: "firing", type: "alerting", duration: 0.5 }),
            ]),
          },
        ],
      },
    });
    const alerts = await get(
      `${base}/api/v1/query?query=${encodeURIComponent('ALERTS{alertstate="firing",deployment="web"}')}`,
    );
    expect(alerts.body).toMatchObject({ data: { result: [{ value: [expect.any(Number), "1"] }] } });
    expect((await get(`${base}/api/v1/labels`)).body).toMatchObject({
      data: expect.arrayContaining(["dst_deployment"]),
    });
    expect((await fetch(`${base}/-/ready`)).status).toBe(200);
  });

  test.each([
    ["/api/v1/query?query=sum(", 400, "bad_data"],
    ["/api/v1/query", 400, "bad_data"],
    ["/api/v1/query_range?query=up&start=2&end=1&step=1", 400, "bad_data"],
    ["/api/v1/query_range?query=up&start=0&end=20000&step=1", 400, "bad_data"],
    ["/api/v1/query_range?query=up&start=0&end=1&step=0", 400, "bad_data"],
    ["/api/v1/query?query=up%2Bon(job)group_left()up", 422, "execution"],
  ])("Prometheus refuses %s with %d", async (path, status, errorType) => {
    const { cluster } = await shop(young);
    const answer = await get(cluster.urls.prometheus + path);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status: "error", errorType, error: expect.any(String) });
  });

  test("every metric that the evidence asks for is there", async () => {
    const { cluster } = await shop(young, { cpuLimit: "500m" });
    await cluster.advance(1_000);
    const names = (await get(`${cluster.urls.prometheus}/api/v1/label/__name__/values`)).body as unknown as {
      data: string[];
    };
    expect(names.data).toEqual(
      expect.arrayContaining([
        ...["request_total", "response_total", "response_latency_ms_bucket", "up"],
        ...["kube_deployment_spec_replicas", "kube_deployment_status_replicas_ready", "kube_resourcequota"],
        ...["kube_deployment_status_replicas_available", "kube_pod_container_resource_requests"],
        ...["kube_pod_container_resource_limits", "kube_pod_container_status_restarts_total"],
        ...["kube_horizontalpodautoscaler_spec_max_replicas", "container_cpu_usage_seconds_total"],
        ...["container_memory_working_set_bytes", "container_cpu_cfs_throttled_periods_total"],
      ]),
    );
  });

  test("Kubernetes is read only: a write is forbidden and remembered", async () => {
    const { cluster } = await shop(young);
    const url = `${cluster.urls.kubernetes}/apis/apps/v1/namespaces/shop-production/deployments/web`;
    const answer = await fetch(url, { method: "PATCH", body: "{}" });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ kind: "Status", reason: "Forbidden", code: 403 });
    expect(cluster.writesAttempted).toEqual(["PATCH /apis/apps/v1/namespaces/shop-production/deployments/web"]);
    expect((await get(`${url}-absent`)).status).toBe(404);
  });

  test("an Argo CD entry leaves Argo's marks", async () => {
    const { cluster } = await shop({ ...young, entry: { object: "Application argocd/shop", path: "manifests/shop" } });
    const base = cluster.urls.kubernetes;
    const web = await get(`${base}/apis/apps/v1/namespaces/shop-production/deployments/web`);
    expect(web.body).toMatchObject({
      metadata: { annotations: { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop-production/web" } },
    });
    const application = await get(`${base}/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop`);
    expect(application.body).toMatchObject({ status: { sync: { status: "Synced", revision: "1".padStart(40, "0") } } });
  });
});
