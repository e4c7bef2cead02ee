import type { ValuesKey } from "./component.ts";
import { appTemplateKey, pinned } from "./app-template.ts";
import { knownReplicaKey } from "../repository/charts.ts";
import { type Asked, type Component, componentOf, plain, unclear } from "./component.ts";
import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import { kubernetesInteger, kubernetesScalar } from "../yaml/scalar.ts";
import { at, entriesOf, type MapNode } from "../yaml/source.ts";

/** The key of the values that a chart reads for the wanted change, by the conventions that charts share. */
export function valuesKey(asked: Asked): ValuesKey | Refusal {
  const template = appTemplateKey(asked);
  if (template) return template;
  const part = componentOf(asked);
  if ("reason" in part) return part;
  const disabled = switchedOff(part.path, part.values);
  if (disabled) return disabled;
  switch (asked.change.kind) {
    case "replicas":
      return scaledInValues(part.values) ?? scaledByChart(asked, part) ?? replicasKey(asked, part);
    case "hpa":
      return boundsKey(part, asked.change.field);
    case "scaled-object":
      return unclear(asked, "the values name no ScaledObject");
    case "resources":
      return mainContainer(asked, part) ?? resourcesKey(asked, part, asked.change.field);
    case "image-tag":
      return mainContainer(asked, part) ?? imageKey(asked, part);
  }
}

function switchedOff(path: readonly string[], values: MapNode): Refusal | undefined {
  const enabled = at(values, ["enabled"]);
  if (enabled?.kind !== "scalar" || kubernetesScalar(enabled) !== false) return undefined;
  return refused(
    "deliberately-disabled",
    `${whereIs(enabled)} disables ${path.join(".") || "the chart"}`,
    "Ask its owners before starting it.",
  );
}

const switches: readonly (readonly string[])[] = [
  ["autoscaling", "enabled"],
  ["autoscaling", "hpa", "enabled"],
  ["autoscaler", "enabled"],
  ["hpa", "enabled"],
  ["horizontalPodAutoscaler", "enabled"],
  ["autoscaleEnabled"],
];

/** Values that switch an autoscaler on: then the chart leaves replicas out. */
export function scaledInValues(values: MapNode): Refusal | undefined {
  const keda = at(values, ["keda", "enabled"]) ?? at(values, ["autoscaling", "keda", "enabled"]);
  if (keda?.kind === "scalar" && kubernetesScalar(keda) === true) {
    return refused(
      "keda-managed",
      `${whereIs(keda)} hands the replicas to KEDA`,
      "Change KEDA's bounds in the values.",
    );
  }
  for (const path of switches) {
    const enabled = at(values, path);
    if (enabled?.kind === "scalar" && kubernetesScalar(enabled) === true) {
      return refused(
        "hpa-managed",
        `${whereIs(enabled)} hands the replicas to an autoscaler`,
        "Change the autoscaler's bounds in the values.",
      );
    }
  }
  return undefined;
}

/** The main workload listens to the switches at the top too, and Istio's charts scale unless they are told not to. */
function scaledByChart({ release }: Asked, part: Component): Refusal | undefined {
  if (part.name !== "") return undefined;
  const scaled = scaledInValues(release.merged);
  if (scaled) return scaled;
  const off =
    release.chart === "istiod" ? at(part.values, ["autoscaleEnabled"]) : at(part.values, ["autoscaling", "enabled"]);
  if (!["istiod", "gateway"].includes(release.chart) || (off?.kind === "scalar" && kubernetesScalar(off) === false))
    return undefined;
  return refused(
    "hpa-managed",
    `${whereIs(release.origin)} leaves the chart's own autoscaler on`,
    "Change the autoscaler's bounds in the values.",
  );
}

function replicasKey(asked: Asked, part: Component): ValuesKey | Refusal {
  const { release, workload } = asked;
  const written = ["replicaCount", "replicas"].filter((key) => at(part.values, [key])?.kind === "scalar");
  const known = knownReplicaKey(release.chart, part.name);
  if (written.length > 1 && !known) return unclear(asked, "replicaCount and replicas are both written");
  const [key] = written;
  const path = known ?? (key === undefined ? undefined : [...part.path, key]);
  if (!path)
    return unclear(asked, `no replica count is written for ${workload.name}, and the chart's default key is not known`);
  const current = at(release.merged, path);
  const count = current?.kind === "scalar" ? kubernetesInteger(current) : 1;
  if (workload.replicas !== undefined && count !== undefined && count !== workload.replicas && count !== 0) {
    return unclear(asked, `${path.join(".")} is ${count}, but ${workload.replicas} replicas run`);
  }
  return { path, as: "value" };
}

function boundsKey(part: Component, field: string): ValuesKey | Refusal {
  for (const base of [["autoscaling"], ["hpa"], ["autoscaling", "hpa"], ["horizontalPodAutoscaler"]]) {
    const values = at(part.values, base);
    if (values?.kind === "map" && at(values, [field])?.kind === "scalar")
      return { path: [...part.path, ...base, field], as: "value" };
  }
  return refused(
    "ambiguous-values-key",
    `${whereIs(part.values)} writes no ${field}`,
    "Write the autoscaler's bounds into the values first.",
  );
}

/** Top-level resources and images belong to the main container; a sidecar has keys of its own. */
function mainContainer(asked: Asked, part: Component): Refusal | undefined {
  const { workload, release } = asked;
  if (workload.container === undefined) return undefined;
  const container = plain(workload.container);
  const names = [
    release.chart,
    release.name,
    workload.name,
    part.name,
    part.path.at(-1) ?? "",
    "app",
    "main",
    "server",
  ].map(plain);
  if (names.some((name) => name.length > 2 && (name.includes(container) || container.includes(name)))) return undefined;
  return unclear(asked, `the values do not say which key belongs to the container ${workload.container}`);
}

function resourcesKey(asked: Asked, part: Component, field: string): ValuesKey | Refusal {
  const resources = at(part.values, ["resources"]);
  if (resources?.kind !== "map") return unclear(asked, `no resources are written for ${asked.workload.name}`);
  const foreign = [...entriesOf(resources).keys()].find((key) => !["limits", "requests", "claims"].includes(key));
  if (foreign !== undefined) return unclear(asked, `resources are written for ${foreign} and others`);
  return { path: [...part.path, "resources", ...field.split(".")], as: "value" };
}

function imageKey(asked: Asked, part: Component): ValuesKey | Refusal {
  const image = at(part.values, ["image"]);
  for (const digest of [at(image, ["digest"]), at(image, ["sha"]), at(part.values, ["digest"])]) {
    if (digest?.kind === "scalar" && digest.text !== "") return pinned(digest);
  }
  if (image?.kind === "map") {
    const tag = at(image, ["tag"]);
    if (tag?.kind === "scalar" || at(image, ["repository"])) return { path: [...part.path, "image", "tag"], as: "tag" };
  }
  if (image?.kind === "scalar" && /:[\w][\w.-]*$/.test(image.text))
    return { path: [...part.path, "image"], as: "image" };
  const beside = ["tag", "imageTag"].filter((key) => at(part.values, [key])?.kind === "scalar");
  if (beside.length === 1 && beside[0] !== undefined) return { path: [...part.path, beside[0]], as: "tag" };
  return unclear(asked, `no image tag is written for ${asked.workload.name}`);
}
