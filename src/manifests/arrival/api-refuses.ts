import type { WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import { parseQuantity } from "../../domain/kubernetes/quantity.ts";
import { type RenderedObject, valueAt } from "../../domain/kubernetes/rendered.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import { podSpecPath } from "../repository/resource.ts";
import type { Arriving, Doubt } from "./doubt.ts";
import { mapsIn } from "./maps-in.ts";

type Sizes = Extract<WantedChange, { kind: "resources" }>;

/** Why the API server would refuse the object with the change, by the objects beside it. */
export function refusedByApi(objects: readonly RenderedObject[], arriving: Arriving): Refusal | Doubt | undefined {
  const { object, change } = arriving;
  if (object.immutable === true)
    return refused(
      "ambiguous",
      `${nameOf(object)} is immutable: the API refuses every change`,
      "Give it another name.",
    );
  const twice = sameName(object);
  if (twice !== undefined) {
    const because = `${nameOf(object)} has two containers ${twice}, which the API refuses`;
    return refused("parse-error", because, "Give each container a name of its own first.");
  }
  switch (change.kind) {
    case "hpa":
      return tooFew(object, change.to);
    case "scaled-object":
      return idle(object, change);
    case "resources":
      return podSpecPath(object.kind) && (abovePod(arriving, change) ?? beyondRange(objects, arriving, change));
    default:
      return undefined;
  }
}

const nameOf = ({ kind, metadata }: RenderedObject): string => `${kind} ${metadata.name}`;

function sameName(object: RenderedObject): string | undefined {
  const pod = podSpecPath(object.kind);
  const names = ["containers", "initContainers"].flatMap((list) =>
    mapsIn(object, [...(pod ?? []), list]).map(({ name }) => name),
  );
  const twice = pod && names.find((name, n) => names.indexOf(name) !== n);
  return typeof twice === "string" ? twice : undefined;
}

function tooFew(object: RenderedObject, to: number): Refusal | Doubt | undefined {
  if (to > 0) return undefined;
  const isExternal = mapsIn(object, ["spec", "metrics"]).some(({ type }) => type === "External" || type === "Object");
  if (isExternal) return { doubt: "only a cluster with the feature HPAScaleToZero takes 0" };
  return refused("ambiguous", `${nameOf(object)} cannot say 0: the API refuses it`, "Ask for 1 or more.");
}

/** KEDA wants fewer replicas for an idle workload than its least. */
function idle(object: RenderedObject, { field, to }: Extract<WantedChange, { kind: "scaled-object" }>) {
  const idles = valueAt(object, ["spec", "idleReplicaCount"]);
  if (field !== "minReplicaCount" || typeof idles !== "number" || to > idles) return undefined;
  const because = `${nameOf(object)} says ${idles} for idleReplicaCount, so minReplicaCount cannot be ${to}`;
  return refused("ambiguous", because, "Change both by hand.");
}

const smaller = "Ask for less, or change that first.";

/** All containers of a pod together request at most what the pod does, and none has a higher limit than the pod. */
function abovePod(arriving: Arriving, { field, to }: Sizes): Refusal | undefined {
  const { object } = arriving;
  const steps = field.split(".");
  const pod = valueAt(object, [...(podSpecPath(object.kind) ?? []), "resources", ...steps]);
  const most = parseQuantity(pod);
  if (most === undefined) return undefined;
  const wanted = field.startsWith("requests.") ? together(arriving, steps) : parseQuantity(to);
  if (wanted === undefined || wanted <= most) return undefined;
  const because = `${nameOf(object)} says ${String(pod)} of ${field} for its whole pod, beside which the API refuses ${to}`;
  return refused("ambiguous", because, smaller);
}

/** What the containers say together once the change is there. */
function together({ object, path, change }: Arriving, steps: readonly string[]): number {
  const containers = mapsIn(object, [...(podSpecPath(object.kind) ?? []), "containers"]);
  const own = Number(path[path.length - 4]);
  const sizes = containers.map((one, n) => (n === own ? change.to : valueAt(one, ["resources", ...steps])));
  return sizes.reduce<number>((sum, size) => sum + (parseQuantity(size) ?? 0), 0);
}

/** The LimitRanges of the namespace: the most and least of a container and a pod, and the limit of who says none. */
function beyondRange(objects: readonly RenderedObject[], arriving: Arriving, change: Sizes): Refusal | undefined {
  const { object, namespace } = arriving;
  const ranges = objects.filter(
    (one) => one.kind === "LimitRange" && (one.metadata.namespace ?? namespace) === namespace,
  );
  for (const range of ranges)
    for (const limits of mapsIn(range, ["spec", "limits"])) {
      const said = crossedRange(limits, arriving, change);
      if (said === undefined) continue;
      const because = `${nameOf(range)} says ${said.bound}, beside which the API refuses ${change.to} for ${nameOf(object)}`;
      return refused("ambiguous", because, said.fix);
    }
  return undefined;
}

/** How many times the request the limit is, with the change; 0 where one of them is not there. */
function ratioWith(arriving: Arriving, [side, resource = ""]: readonly [string, string], isPod: boolean): number {
  const size = (of: string): number => {
    if (isPod && of === side) return together(arriving, [of, resource]);
    if (isPod) return together({ ...arriving, path: [] }, [of, resource]);
    const own =
      of === side ? arriving.change.to : valueAt(arriving.object, [...arriving.path.slice(0, -2), of, resource]);
    return parseQuantity(own) ?? 0;
  };
  const [limit, request] = [size("limits"), size("requests")];
  return request === 0 ? 0 : limit / request;
}

interface Crossed {
  /** For people. */
  readonly bound: string;
  readonly fix: string;
}

function crossedRange(limits: Record<string, unknown>, arriving: Arriving, { field, to }: Sizes): Crossed | undefined {
  const [side = "", resource = ""] = field.split(".");
  const bound = (key: string) => parseQuantity(valueAt(limits, [key, resource]));
  const said = (key: string, fix = smaller) => ({
    bound: `${String(valueAt(limits, [key, resource]))} for ${key}.${resource}`,
    fix,
  });
  const isPod = limits.type === "Pod";
  if (limits.type !== "Container" && !isPod) return undefined;
  const wanted = isPod ? together(arriving, [side, resource]) : parseQuantity(to);
  if (wanted === undefined) return undefined;
  const [most, least] = [bound("max"), bound("min")];
  if (most !== undefined && wanted > most) return said("max");
  if (least !== undefined && wanted < least) return said("min", "Ask for more, or change that first.");
  const ratio = bound("maxLimitRequestRatio");
  if (ratio !== undefined && ratio < ratioWith(arriving, [side, resource], isPod))
    return said("maxLimitRequestRatio", "Change request and limit together, by hand.");
  const usual = isPod || side !== "requests" ? undefined : bound("default");
  const limit = valueAt(arriving.object, [...arriving.path.slice(0, -2), "limits", resource]);
  return usual !== undefined && limit === undefined && wanted > usual ? said("default") : undefined;
}
