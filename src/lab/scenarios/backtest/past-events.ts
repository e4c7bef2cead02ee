import { type Declared, declaredFirst, manifestOf, type PastCommit, pathOf } from "./past-repository.ts";
import { type PastTrouble, pastWorkloads, usualLoad } from "./past-troubles.ts";

const minute = 60_000;
const rollOutMs = minute;
const [quietBeforeMs, quietAfterMs] = [40 * minute, 130 * minute];

/** What changes for one workload at one time. */
export interface PastEvent {
  readonly at: number;
  readonly workload: string;
  readonly load?: number;
  readonly declared?: Partial<Declared>;
  readonly by?: string;
}

/** What a trouble makes happen, from its begin on. */
export function eventsOf({ workload, load, calmsAt, badRelease, person }: PastTrouble, begin: number): PastEvent[] {
  const change =
    person &&
    ("replicas" in person
      ? { replicas: person.replicas }
      : "tag" in person
        ? { tag: person.tag }
        : { memory: person.memory });
  const after = (minutes: number) => begin + minutes * minute;
  const isHealed = calmsAt ?? (person === undefined ? undefined : person.at + 120);
  return [
    ...(load === undefined ? [] : [{ at: begin, workload, load }]),
    ...(load === undefined || isHealed === undefined ? [] : [{ at: after(isHealed), workload, load: usualLoad }]),
    ...(badRelease
      ? [{ at: after(badRelease.at), workload, declared: { tag: badRelease.tag }, by: "release-bot" }]
      : []),
    ...(person && change ? [{ at: after(person.at), workload, declared: change, by: "sre-anna" }] : []),
  ];
}

/** The commits that they are in the repository. */
export function commitsOf(
  events: readonly PastEvent[],
  { from, files }: { readonly from: number; readonly files: Readonly<Record<string, string>> },
): PastCommit[] {
  const state = new Map<string, Declared>(pastWorkloads.map((one) => [one.name, declaredFirst(one)]));
  const first = { at: new Date(from), subject: "begin", author: "sre-anna", files };
  const rest = events.flatMap(({ at, workload, declared, by = "" }): PastCommit[] => {
    const before = state.get(workload);
    if (declared === undefined || before === undefined) return [];
    const after = { ...before, ...declared };
    state.set(workload, after);
    const subject = `change ${Object.keys(declared).join(" and ")} of ${workload}`;
    return [{ at: new Date(at), subject, author: by, files: { [pathOf(workload)]: manifestOf(workload, after) } }];
  });
  return [first, ...rest];
}

/** What a workload carries and runs. */
export interface Running {
  readonly load: number;
  readonly declared: Declared;
  readonly isFailing: boolean;
}

/** Whether nothing happens around a time; the times must ascend. */
export function quietBetween(events: readonly PastEvent[]): (at: number) => boolean {
  let next = 0;
  return (at) => {
    while ((events[next]?.at ?? at) + quietAfterMs <= at) next += 1;
    const event = events[next];
    return event === undefined || at <= event.at - quietBeforeMs;
  };
}

/** What one workload carries and runs at a time; the times must ascend. */
export function statesOf(one: (typeof pastWorkloads)[number], events: readonly PastEvent[]): (at: number) => Running {
  const own = events.filter((event) => event.workload === one.name);
  const [loads, rollouts] = [own.filter(({ load }) => load !== undefined), own.filter(({ declared }) => declared)];
  const first = declaredFirst(one);
  let [load, declared] = [usualLoad, first];
  return (at) => {
    for (let event = loads[0]; event !== undefined && event.at <= at; event = loads[0]) {
      load = loads.shift()?.load ?? load;
    }
    for (let event = rollouts[0]; event !== undefined && event.at + rollOutMs <= at; event = rollouts[0])
      declared = { ...declared, ...rollouts.shift()?.declared };
    return runningOf(load, declared, first);
  };
}

/** A state as the series show it. */
export function runningOf(load: number, declared: Declared, first: Declared): Running {
  return { load, declared, isFailing: declared.tag !== first.tag };
}
