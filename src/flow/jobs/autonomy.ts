import { isUnlocked, type LedgerRow, type Trust, trustFor } from "../../domain/records/autonomy.ts";
import { workloadOfKey } from "../../domain/kubernetes/workload.ts";
import type { Ports } from "../../ports/ports.ts";
import { loadGuardrails } from "../collect/load-guardrails.ts";
import { loadLedger, sealedAmong, sealedIn, withoutDisputed } from "../collect/load-trust.ts";

/** Earned autonomy as the default branch holds it now, for the page. */
export interface AutonomyView {
  readonly rows: readonly (LedgerRow & { readonly trust: Trust; readonly unlocked: boolean })[];
  /** Why nothing is auto-merged at all; empty = nothing stands against it. */
  readonly problems: readonly string[];
  /** Post-mortems that count for nothing, each with the reason. */
  readonly unsealed: readonly { readonly path: string; readonly because: string }[];
}

/** Judges every row of the ledger by the same rule as the gate does. */
export async function showAutonomy(ports: Pick<Ports, "github" | "records" | "sealKey">): Promise<AutonomyView> {
  const { tree } = await ports.github.head();
  const guardrails = loadGuardrails(tree);
  const ledger = loadLedger(tree);
  const { records, unsealed } = await sealedIn(tree, ports.sealKey);
  const [files, withdrawals] = await Promise.all([ports.records.pendingFiles(), ports.records.withdrawals()]);
  const withdrawn = withdrawals.map((withdrawal) => withdrawal.incident);
  const contents = files.map(({ content }) => content);
  const sources = {
    ledger,
    records: withoutDisputed(records, withdrawn),
    pending: sealedAmong(contents, ports.sealKey),
  };
  const autonomy = guardrails.ok ? guardrails.value.autonomy : { successes: Number.MAX_SAFE_INTEGER };
  const rows = (ledger.ok ? ledger.value.entries : []).map((row) => {
    const trust = trustFor({ ...row, workload: workloadOfKey(row.workload) }, sources, autonomy);
    return { ...row, trust, unlocked: isUnlocked(trust) };
  });
  return { rows, problems: problemsOf(guardrails, ledger), unsealed };
}

function problemsOf(guardrails: ReturnType<typeof loadGuardrails>, ledger: ReturnType<typeof loadLedger>): string[] {
  const never = guardrails.ok && guardrails.value.autoMerge === "never";
  return [
    ...(guardrails.ok ? [] : guardrails.problems),
    ...(never ? ["the guardrails allow no auto-merge (autoMerge: never)"] : []),
    ...(ledger.ok ? [] : ledger.problems),
  ];
}
