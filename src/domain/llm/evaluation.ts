/** One question of the past, put to a model again. */
export interface ReplayedAnswer {
  readonly incident: string;
  /** What was verified then. */
  readonly expected: { readonly cause: string; readonly remedy: string };
  readonly answer:
    | { readonly kind: "answered"; readonly cause: string; readonly remedy: string }
    | { readonly kind: "abstained" | "unusable"; readonly because: string };
  readonly durationMs: number;
}

/** How a model did. Shares are of all cases; right + wrong + abstained + unusable = 1. */
export interface Evaluation {
  readonly model: string;
  readonly incidents: readonly string[];
  /** Cause and remedy as verified. */
  readonly accuracy: number;
  /** An answer that names another cause or remedy: worse than none. */
  readonly wrong: number;
  readonly abstention: number;
  readonly unusable: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
}

/** Counts the answers of one model; undefined without any. */
export function evaluationOf(model: string, replayed: readonly ReplayedAnswer[]): Evaluation | undefined {
  if (replayed.length === 0) return undefined;
  const share = (is: (one: ReplayedAnswer) => boolean) => replayed.filter(is).length / replayed.length;
  const durations = replayed.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  return {
    model,
    incidents: replayed.map(({ incident }) => incident).sort(),
    accuracy: share(isRight),
    wrong: share((one) => one.answer.kind === "answered" && !isRight(one)),
    abstention: share(({ answer }) => answer.kind === "abstained"),
    unusable: share(({ answer }) => answer.kind === "unusable"),
    latencyMs: { p50: percentile(durations, 50), p95: percentile(durations, 95), p99: percentile(durations, 99) },
  };
}

function isRight({ expected, answer }: ReplayedAnswer): boolean {
  return answer.kind === "answered" && answer.cause === expected.cause && answer.remedy === expected.remedy;
}

/** The nearest-rank percentile of sorted values: the smallest that at least `percent` of them do not exceed. */
export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
}

/** Whether a model may take the place of another. */
export interface Admission {
  readonly admitted: boolean;
  /** Every reason against; empty when admitted. */
  readonly against: readonly string[];
}

interface AdmissionLimits {
  /** Fewer cases prove nothing. */
  readonly fewestCases: number;
  /** How much slower the slowest answers may be, as a factor on p99. */
  readonly slower: number;
}

const admissionLimits: AdmissionLimits = { fewestCases: 20, slower: 1.1 };

/**
 * Admitted only if it is not worse: the same questions, no lower accuracy, no more wrong or unusable answers, and a p99
 * within the limit. Abstaining more is no reason against as long as accuracy holds.
 */
export function admissionOf(
  candidate: Evaluation,
  current: Evaluation,
  limits: AdmissionLimits = admissionLimits,
): Admission {
  const cases = candidate.incidents.length;
  const same =
    cases === current.incidents.length && candidate.incidents.every((one, i) => one === current.incidents[i]);
  const against = [
    ...(same ? [] : ["the two were asked different questions"]),
    ...(cases < limits.fewestCases ? [`only ${cases} cases, ${limits.fewestCases} are needed`] : []),
    ...worse("accuracy is lower", current.accuracy, candidate.accuracy),
    ...worse("more answers are wrong", candidate.wrong, current.wrong),
    ...worse("more answers are unusable", candidate.unusable, current.unusable),
    ...(candidate.latencyMs.p99 > current.latencyMs.p99 * limits.slower
      ? [`p99 is slower: ${ms(candidate.latencyMs.p99)}, was ${ms(current.latencyMs.p99)}`]
      : []),
  ];
  return { admitted: against.length === 0, against };
}

function worse(what: string, larger: number, smaller: number): string[] {
  return larger > smaller ? [`${what}: ${percent(larger)} against ${percent(smaller)}`] : [];
}

/** One row a model, for people. */
export function renderEvaluations(evaluations: readonly Evaluation[]): string {
  const rows = evaluations.map((one) => {
    const { accuracy, wrong, abstention, unusable, latencyMs } = one;
    const shares = [accuracy, wrong, abstention, unusable].map(percent);
    const times = [latencyMs.p50, latencyMs.p95, latencyMs.p99].map(ms);
    return `| ${[one.model.replace(/[|\r\n]/g, " "), one.incidents.length, ...shares, ...times].join(" | ")} |`;
  });
  return [
    "| model | cases | accuracy | wrong | abstained | unusable | p50 | p95 | p99 |",
    "|---|---|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
