import { homedir } from "node:os";
import { join } from "node:path";
import { findKyverno, kyvernoEngine } from "../adapters/cli-tools/kyverno.ts";
import type { PolicyEngine } from "../domain/gate/policy-report.ts";
import type { Telemetry } from "../ports/runtime.ts";
import type { Settings } from "../settings/settings.ts";
import type { Sources } from "./observability/source-health.ts";

/** Where the Kyverno CLI is looked for. */
export function kyvernoPlaces({ kyverno }: Pick<Settings, "kyverno">) {
  const told = kyverno === "off" ? undefined : kyverno;
  return {
    path: told?.path,
    toolsDirectory: told?.toolsDirectory ?? join(homedir(), ".cache", "rectify", "tools"),
    searchPath: process.env.PATH ?? "",
  };
}

/** Without a tested CLI the gate has no verdict of its own; that is told once. */
export async function policiesOf(
  settings: Settings,
  { telemetry, sources }: { readonly telemetry: Telemetry; readonly sources: Sources },
): Promise<PolicyEngine | undefined> {
  if (settings.kyverno === "off") {
    sources.absent("Kyverno CLI", "KYVERNO is off");
    return undefined;
  }
  const options = { ...kyvernoPlaces(settings), timeoutMs: 60_000 };
  const found = await findKyverno(options);
  if (found.kind === "absent") {
    telemetry.log("", "gate", found.because);
    sources.absent("Kyverno CLI", found.because);
    return undefined;
  }
  sources.describe("Kyverno CLI", `${found.version} at ${found.path}`);
  return recordedPolicies(kyvernoEngine({ ...options, path: found.path }), sources);
}

/** No verdict is an answer of the engine, but none that anybody can use. */
function recordedPolicies(engine: PolicyEngine, sources: Sources): PolicyEngine {
  return {
    judge: async (question) => {
      const verdict = await engine.judge(question);
      const { kind } = verdict;
      sources.record(
        "Kyverno CLI",
        kind === "not-evaluated" ? { kind: "silent", because: verdict.because } : { kind: "answers" },
      );
      return verdict;
    },
  };
}
