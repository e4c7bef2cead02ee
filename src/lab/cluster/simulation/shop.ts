import type { Call, ServiceModel } from "./service-model.ts";

const mebibyte = 2 ** 20;

/** How an unknown workload serves. */
export const plainService: ServiceModel = {
  ...{ perReplica: 100, baseMs: 20, errorShare: 0.001, cpuPerRequest: 0.0025 },
  ...{ memoryBytes: 90 * mebibyte, memoryPerRequest: mebibyte / 8 },
};

/** The shop of `manifests/`: at its capacity a replica uses the CPU that it requests. */
export const shopServices: Readonly<Record<string, ServiceModel>> = {
  web: { ...plainService, perReplica: 100, baseMs: 20, cpuPerRequest: 0.0025 },
  catalog: { ...plainService, perReplica: 300, baseMs: 8, cpuPerRequest: 0.1 / 300 },
  checkout: { ...plainService, perReplica: 60, baseMs: 30, cpuPerRequest: 0.2 / 60 },
  payments: { ...plainService, perReplica: 80, baseMs: 35, cpuPerRequest: 0.15 / 80 },
};

export const shopCalls: readonly Call[] = [
  { caller: "web", callee: "catalog", perRequest: 1 },
  { caller: "web", callee: "checkout", perRequest: 0.2 },
  { caller: "checkout", callee: "catalog", perRequest: 1 },
  { caller: "checkout", callee: "payments", perRequest: 1 },
];

/** Requests per second from outside while nothing happens. */
export const quietLoad: Readonly<Record<string, number>> = { web: 60 };
