import { isRecord, readObject, type RenderedObject, valueAt } from "../../domain/kubernetes/rendered.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";

/** What Flux Operator makes of ResourceSets. */
interface MadeBySets {
  /** A text that only the cluster fills in stands there as it is written, in `<< >>`. */
  readonly objects: readonly RenderedObject[];
  /** Templates that are programs, and are not followed. */
  readonly unread: readonly { readonly name: string; readonly text: string }[];
}

/** The objects that the ResourceSets among some objects make, one round for each of their inputs. */
export function madeBySets(objects: readonly RenderedObject[]): MadeBySets {
  const sets = objects.filter(({ kind, apiVersion }) => kind === "ResourceSet" && /^fluxcd\./.test(apiVersion));
  const each = sets.map(madeBySet);
  return { objects: each.flatMap((one) => one.objects), unread: each.flatMap((one) => one.unread) };
}

function madeBySet(set: RenderedObject): MadeBySets {
  const spec = isRecord(set.spec) ? set.spec : {};
  const written = Array.isArray(spec.resources) ? (spec.resources as unknown[]) : [];
  const template = typeof spec.resourcesTemplate === "string" ? spec.resourcesTemplate : "";
  const rounds = roundsOf(spec);
  const texts = rounds.map((inputs) => filledText(template, inputs));
  const read = texts.map((text) => (program.test(text) ? undefined : readKubeYaml(text)));
  const documents = read.flatMap((one) => (one?.ok ? one.value : []));
  const made = [...rounds.flatMap((inputs) => written.map((one) => filled(one, inputs))), ...documents];
  return {
    objects: made.flatMap((one) => readObject(withNamespace(one, set)) ?? []),
    unread: texts.filter((_, n) => read[n]?.ok !== true).map((text) => ({ name: set.metadata.name, text })),
  };
}

type Inputs = Readonly<Record<string, unknown>>;

// What a template repeats or leaves out is not followed.
const program = /<<-?\s*(?:\$|if|range|with|define|template|block|end|else)\b/;

/** The inputs as they stand there; what others provide fills in what nobody here knows. */
function roundsOf({ inputs, inputsFrom, inputStrategy }: Record<string, unknown>): readonly Inputs[] {
  const own = Array.isArray(inputs) && inputStrategy === undefined ? inputs.filter(isRecord) : [];
  const isOpen = own.length === 0 || inputsFrom !== undefined;
  return isOpen ? [...own, {}] : own;
}

function filled(value: unknown, inputs: Inputs): unknown {
  if (typeof value === "string") return filledText(value, inputs);
  if (Array.isArray(value)) return value.map((item) => filled(item, inputs));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, inputs)]));
}

const filledText = (text: string, inputs: Inputs): string =>
  text.replaceAll(/<<-?\s*inputs\.([\w.]+)\s*(?:\|\s*quote\s*)?-?>>/g, (whole, path: string) => {
    const value = valueAt(inputs, path.split("."));
    return typeof value === "string" || typeof value === "number" ? String(value) : whole;
  });

/** An object that names no namespace goes where its set is. */
function withNamespace(object: unknown, { metadata: { namespace } }: RenderedObject): unknown {
  if (!isRecord(object) || !isRecord(object.metadata) || namespace === undefined) return object;
  return { ...object, metadata: { namespace, ...object.metadata } };
}
