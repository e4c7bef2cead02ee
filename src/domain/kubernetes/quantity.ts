/**
 * Kubernetes quantities, see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/.
 * CPU is counted in cores, memory in bytes.
 */
const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number behind `250m`, `1.5`, `512Mi`, `1e3` or a plain number; undefined when it is no quantity. */
export function parseQuantity(quantity: unknown): number | undefined {
  const text = typeof quantity === "number" ? String(quantity) : quantity;
  if (typeof text !== "string") return undefined;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text.trim());
  if (!match) return undefined;
  const factor = factors[match[3] ?? ""];
  const value = Number(`${match[1]}${match[2] ?? ""}`) * (factor ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Whether a wanted quantity of `requests.*` or `limits.*` crosses the one of the other side: Kubernetes refuses a request
 * above its limit. What nobody can compare does not cross.
 */
export function crossedQuantity(field: string, wanted: unknown, other: unknown): boolean {
  const [asked, there] = [parseQuantity(wanted), parseQuantity(other)];
  if (asked === undefined || there === undefined) return false;
  return field.startsWith("requests.") ? asked > there : asked < there;
}

/** Whether a wanted bound (`minReplicas`, `maxReplicaCount`) crosses the other one: the least is more than the most. */
export const crossedBound = (field: string, wanted: number, other: number): boolean =>
  field.startsWith("max") ? wanted < other : wanted > other;

/** `limits.memory` for `requests.memory`, and the other way round. */
export const otherSideOf = (field: string): string =>
  field.startsWith("requests") ? field.replace("requests", "limits") : field.replace("limits", "requests");

/** `minReplicas` for `maxReplicas` and the like. */
export const otherBoundOf = (field: string): string =>
  field.replace(/^m(?:in|ax)/, field.startsWith("max") ? "min" : "max");

const mebi = 2 ** 20;

/** Cores as `250m` or `2`: rounded up to 10m below one core and to 100m from there. */
export function renderCpu(cores: number): string {
  const step = cores < 1 ? 10 : 100;
  const milli = roundUp(cores * 1000, step);
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}

/** Bytes as `384Mi` or `2Gi`: rounded up to 16Mi below one gibibyte and to 128Mi from there. */
export function renderMemory(bytes: number): string {
  const step = bytes < 1024 * mebi ? 16 : 128;
  const wanted = roundUp(bytes / mebi, step);
  return wanted % 1024 === 0 ? `${wanted / 1024}Gi` : `${wanted}Mi`;
}

/** Up to a multiple of the step; forgives what binary fractions add (0.3 × 1000 is 300, not 301). */
function roundUp(value: number, step: number): number {
  return Math.max(step, Math.ceil(value / step - 1e-9) * step);
}
