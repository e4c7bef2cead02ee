import { type Asked, componentName, plain, unclear } from "./component.ts";
import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import { at, entriesOf, type MapNode, type Node, textAt } from "../yaml/source.ts";
import type { ValuesKey } from "./component.ts";

/** The bjw-s app-template: every workload is an entry below `controllers`, every container below that. */
export function appTemplateKey(asked: Asked): ValuesKey | Refusal | undefined {
  const { release, workload } = asked;
  const controllers = at(release.merged, ["controllers"]);
  if (controllers?.kind !== "map" || (release.chart !== "app-template" && !looksLikeAppTemplate(controllers)))
    return undefined;
  const names = [...entriesOf(controllers).keys()];
  const rest = componentName(release, workload.name);
  const fitting = names.filter(
    (name) =>
      (names.length === 1 && rest === "") ||
      (rest === "" && (name === release.name || name === "main")) ||
      rest === name,
  );
  const [name] = fitting;
  if (name === undefined || fitting.length > 1)
    return unclear(asked, `the controllers ${names.join(", ")} do not tell which one is ${workload.name}`);
  const kind = plain(textAt(controllers, [name, "type"]) ?? "deployment");
  if (kind !== plain(workload.kind)) return unclear(asked, `the controller ${name} is a ${kind}`);
  return controllerKey(asked, controllers, name);
}

function controllerKey(asked: Asked, controllers: MapNode, name: string): ValuesKey | Refusal {
  const { release, workload, change } = asked;
  const path = ["controllers", name];
  if (change.kind === "replicas") return { path: [...path, "replicas"], as: "value" };
  if (change.kind === "hpa" || change.kind === "scaled-object") return unclear(asked, "the chart makes no autoscaler");
  const containers = at(controllers, [name, "containers"]);
  const known = containers?.kind === "map" ? [...entriesOf(containers).keys()] : [];
  const container = workload.container ?? (known.length === 1 ? known[0] : undefined);
  if (container === undefined || !known.includes(container))
    return unclear(asked, `the containers ${known.join(", ")} do not tell which one is meant`);
  const base = [...path, "containers", container];
  if (change.kind === "resources") return { path: [...base, "resources", ...change.field.split(".")], as: "value" };
  const digest = at(release.merged, [...base, "image", "digest"]);
  return digest?.kind === "scalar" && digest.text !== ""
    ? pinned(digest)
    : { path: [...base, "image", "tag"], as: "tag" };
}

const looksLikeAppTemplate = (controllers: MapNode): boolean =>
  [...entriesOf(controllers).keys()].every((name) => at(controllers, [name, "containers"])?.kind === "map");

export const pinned = (node: Node): Refusal =>
  refused(
    "digest-pinned",
    `${whereIs(node)} pins the image by digest, which wins over the tag`,
    "Give tag and digest together, by hand.",
  );
