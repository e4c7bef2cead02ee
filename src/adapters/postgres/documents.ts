import { z } from "zod";
import type { Alert } from "../../domain/incident/alert.ts";
import type { Candidate } from "../../domain/proposal/caps.ts";
import type { MergedRemedy } from "../../domain/gate/repetition.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import type { Dependencies } from "../../domain/incident/reexamination.ts";
import type { Lease } from "../../domain/proposal/lease.ts";
import type { Rollback } from "../../domain/proposal/rollback.ts";
import type { OutcomeOnRecord } from "../../domain/proposal/outcome.ts";
import { Refused } from "../../ports/errors.ts";

/** One kind of stored document: how it is read from a row, whatever release wrote it. */
interface DocumentKind<T> {
  readonly name: string;
  /** The version that this release writes. */
  readonly version: number;
  /** One reader for each version that may still be on record; each answers in today's form. */
  readonly readers: Readonly<Record<number, z.ZodType<unknown>>>;
  /** Ties the kind to its type. */
  readonly as?: T;
}

// Rows outlive releases: what a newer one added is kept, what is relied upon must be there.
const text = z.string();
const texts = z.record(text, text);
const workload = z.looseObject({ kind: text, namespace: text, name: text });
const alert = z.looseObject({
  ...{ fingerprint: text, name: text, labels: texts, annotations: texts, startsAt: text, generatorUrl: text },
  ...{ status: z.enum(["firing", "resolved"]), endsAt: text.optional() },
});
const incident = z.looseObject({
  ...{ uid: text, traceId: text, cluster: text, severity: text, startedAt: text },
  ...{ workload, alert },
});
const change = z.looseObject({ field: z.array(z.union([text, z.number()])) });
const remediation = z.looseObject({ kind: text, workload });
const lease = z.looseObject({
  ...{ incident, remediation, field: change, entry: z.looseObject({ path: text }) },
  ...{ pull: z.number(), latestPull: z.number(), renewals: z.number() },
  ...{ since: text, termSince: text, expires: text, because: text },
});
const rollback = z.looseObject({
  ...{ incident, remediation, effect: z.looseObject({ hash: text, changes: z.array(change) }) },
  ...{ pull: z.number(), latestPull: z.number(), by: text, comment: z.number(), ended: text },
});
const candidate = z.looseObject({
  ...{ incident: text, workload, alert: text, severity: text, startedAt: text, summary: text },
});
const remedy = z.looseObject({ kind: text, title: text, effect: text });
const story = z.looseObject({ ending: text, because: text });

const dependencies = z.looseObject({ silent: z.array(text), revision: text, guardrails: text });

const kind = <T>(name: string, reader: z.ZodType<unknown>): DocumentKind<T> => ({
  name,
  version: 1,
  readers: { 1: reader },
});

export const storedAlert = kind<Alert>("alert", alert);
export const storedIncident = kind<Incident>("incident", incident);
export const storedDependencies = kind<Dependencies>("dependency", dependencies);
export const storedLease = kind<Lease>("lease", lease);
export const storedRollback = kind<Rollback>("rollback", rollback);
export const storedCandidate = kind<Candidate>("candidate", candidate);
export const storedRemedy = kind<MergedRemedy>("remedy", remedy);
export const storedOutcome = kind<OutcomeOnRecord>("story", story);

/** Reads one document. Throws `Refused` with the first problem when it has another form, or is of a newer release. */
export function readDocument<T>(of: DocumentKind<T>, document: unknown, version: unknown = 1): T {
  const reader = of.readers[Number(version)];
  if (reader === undefined)
    throw new Refused(`a stored ${of.name} has version ${String(version)}: a newer release wrote it`);
  const read = reader.safeParse(document);
  if (read.success) return read.data as T;
  const [problem] = read.error.issues;
  throw new Refused(`a stored ${of.name} cannot be read: ${problem?.path.join(".") ?? ""}: ${problem?.message ?? ""}`);
}

/** Hears of rows that could not be read. */
export type Unreadable = (because: string) => void;

/** Those rows that can be read; one that cannot does not cost the others, and is told. */
export function readable<Row, T>(rows: readonly Row[], read: (row: Row) => T, unreadable: Unreadable): T[] {
  return rows.flatMap((row) => {
    try {
      return [read(row)];
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      unreadable(error.message);
      return [];
    }
  });
}
