import type { Cause } from "../cause.ts";
import type { Load, Signals } from "../signal-values.ts";
import { nameOfSymptom } from "./cause-names.ts";
import { factsOf, type Symptom, type SymptomKind } from "./symptoms.ts";

/** What pods, events and logs show, and what the load measures say. */
export function allSymptoms({
  symptoms = [],
  load,
  quota,
}: Pick<Signals, "symptoms" | "load" | "quota">): readonly Symptom[] {
  const measured = [
    ...when(load.throttling, (value) => value >= 0.25, "throttled"),
    ...when(load.oomKills, (value) => value > 0, "out-of-memory"),
    ...when(load.utilisation, (value) => value >= 0.8, "saturated"),
    ...when(quota, (value) => value > 0, "quota"),
  ];
  return [...symptoms, ...measured.filter(({ kind }) => !symptoms.some((known) => known.kind === kind))];
}

function when(cited: Load["throttling"], holds: (value: number) => boolean, kind: SymptomKind): Symptom[] {
  return cited !== undefined && holds(cited.value) ? [{ kind, from: cited.from, texts: [] }] : [];
}

// How surely a symptom names the cause where no change explains it. What has a cause of its own elsewhere is left out.
const certainty: Partial<Readonly<Record<SymptomKind, number>>> = {
  ...{ "image-pull": 0.75, executable: 0.7, configuration: 0.65, volume: 0.7, preempted: 0.72, unschedulable: 0.7 },
  ...{ "limit-range": 0.75, admission: 0.7, forbidden: 0.6, credential: 0.6, certificate: 0.68, autoscaler: 0.5 },
  ...{ evicted: 0.68, node: 0.74, "init-stuck": 0.55, "port-conflict": 0.6, probe: 0.35, "name-resolution": 0.6 },
  ...{ lock: 0.62, unreachable: 0.45, "no-replicas": 0.9 },
};

/** What a person has to look at, where pods, events or logs say it and no field of Git may be the remedy. */
export function conditionCauses(signals: Signals): Omit<Cause, "id">[] {
  const { workload, symptoms = [], states = [] } = signals;
  return symptoms.flatMap(({ kind, from }): Omit<Cause, "id">[] => {
    const [confidence, name] = [certainty[kind], nameOfSymptom(kind)];
    if (confidence === undefined || name === undefined) return [];
    const sentence = `the pods of ${workload.name} ${factsOf(kind).words}`;
    const citing = [...new Set([...from, ...states])];
    return [{ kind: "cluster-condition", name, workload, sentence, confidence, citing, remedies: [] }];
  });
}
