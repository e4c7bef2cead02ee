import type { Evidence } from "../evidence/evidence.ts";
import type { ResourceField } from "../kubernetes/manifest-edit.ts";
import { parseQuantity } from "../kubernetes/quantity.ts";

/** How much more a quota of the namespace lets in, with the line that says so. */
interface QuotaRoom {
  readonly amount: number;
  readonly line: string;
}

/** How many more pods that ask for this much the quotas let in; undefined where none of them limits it. */
export function podsWithin(
  evidence: readonly Evidence[],
  perPod: Partial<Readonly<Record<ResourceField, string>>>,
): QuotaRoom | undefined {
  const rooms = quotasIn(evidence).flatMap(({ name, left, said }) => {
    const each = name.resource === "pods" ? 1 : parseQuantity(perPod[fieldOf(name.resource)]);
    if (each === undefined || each <= 0) return [];
    const amount = Math.max(0, Math.floor(left / each + 1e-9));
    return [{ amount, line: `quota ${name.quota} (${name.resource}: ${said}) has room for ${amount} more pods` }];
  });
  return tightest(rooms);
}

/** How much more of one resource the quotas let in, in cores or bytes; undefined where none of them limits it. */
export function resourceWithin(evidence: readonly Evidence[], field: ResourceField): QuotaRoom | undefined {
  const rooms = quotasIn(evidence).flatMap(({ name, left, said }) =>
    fieldOf(name.resource) === field ? [{ amount: Math.max(0, left), line: `quota ${name.quota}: ${said}` }] : [],
  );
  return tightest(rooms);
}

function tightest(rooms: readonly QuotaRoom[]): QuotaRoom | undefined {
  return [...rooms].sort((a, b) => a.amount - b.amount)[0];
}

/** `cpu` and `memory` in a quota mean the requests. */
function fieldOf(resource: string): ResourceField {
  return (resource === "cpu" || resource === "memory" ? `requests.${resource}` : resource) as ResourceField;
}

function quotasIn(evidence: readonly Evidence[]) {
  return evidence.flatMap(({ key, finding }) => {
    if (key !== "quotas" || finding.kind !== "facts") return [];
    return Object.entries(finding.facts).flatMap(([title, said]) => {
      const [quota = "", resource = ""] = title.split(" ");
      const [used, hard] = String(said).split(" of ").map(parseQuantity);
      if (used === undefined || hard === undefined) return [];
      return [{ name: { quota, resource }, left: hard - used, said: String(said) }];
    });
  });
}
