import { isRecord } from "../../../domain/kubernetes/rendered.ts";

/** What a generator's parameters say, and whether the cluster adds more than the repository shows. */
interface Known {
  readonly values: ReadonlyMap<string, string>;
  readonly open: boolean;
}

/** Whether a generator's `selector` lets parameters pass; where nobody knows here, they may. */
export function isSelected(selector: unknown, params: Known): boolean {
  if (!isRecord(selector)) return true;
  const labels = isRecord(selector.matchLabels) ? Object.entries(selector.matchLabels) : [];
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions.filter(isRecord) : [];
  return (
    labels.every(([key, value]) => fits(params, { key, operator: "In", values: [value] })) &&
    expressions.every((one) => fits(params, one))
  );
}

function fits({ values, open }: Known, requirement: Readonly<Record<string, unknown>>): boolean {
  const value = values.get(String(requirement.key));
  const named = Array.isArray(requirement.values) ? requirement.values.map(String) : [];
  if ((value === undefined && open) || [value, ...named].some((one) => one?.includes("{{"))) return true;
  switch (requirement.operator) {
    case "In":
      return value !== undefined && named.includes(value);
    case "NotIn":
      return value === undefined || !named.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return true;
  }
}
