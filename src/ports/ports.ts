import type { PolicyEngine } from "../domain/gate/policy-report.ts";
import type { ChartTools, Rendered } from "../domain/kubernetes/rendered.ts";
import type { Entry } from "../domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../domain/kubernetes/tree.ts";
import type { PublicPlaces } from "../domain/proposal/body/links.ts";
import type { Prompts } from "../domain/llm/question.ts";
import type { Memory } from "../domain/records/precedent.ts";
import type { GitHost, People } from "./github.ts";
import type { GuardrailsHost } from "./guardrails-host.ts";
import type { Cluster } from "./kubernetes.ts";
import type { Model } from "./model.ts";
import type { Alerts, Concerns, Logs, Metrics } from "./monitoring.ts";
import type { MergedChanges, Records, LeaseStore, ProposalQueue, RollbackStore, WatchtowerMode } from "./records.ts";
import type { Clock, Notifier, Telemetry, WithTimeout } from "./runtime.ts";
import type { Timings } from "./timings.ts";

/** Builds the objects that an entry produces, the way the GitOps controller would. */
export interface Renderer {
  render(tree: Tree, entry: Entry): Promise<Rendered>;
}

/** Everything outside, as the steps of the flow see it. A step takes only what it uses. */
export interface Ports {
  readonly github: GitHost;
  /** Undefined = nobody is told of the guardrails file before it is on the default branch. */
  readonly guardrailsHost?: GuardrailsHost | undefined;
  readonly people: People;
  /** The code host's number of the repository, which stays when it is renamed. */
  readonly repositoryId?: number | undefined;
  readonly cluster: Cluster;
  readonly metrics: Metrics;
  readonly logs: Logs | undefined;
  readonly alerts: Alerts;
  readonly concerns: Concerns;
  readonly model: Model | undefined;
  /** The reviewed texts that go to the model. */
  readonly prompts: Prompts;
  /** 32 hex digits that nobody can guess. */
  readonly random: () => string;
  /** By this key post-mortems are known to be ours. It never leaves the process. */
  readonly sealKey: string;
  readonly renderer: Renderer;
  /** Undefined = no Helm was found: then the key of a chart is guessed by conventions, and a person merges. */
  readonly charts?: ChartTools | undefined;
  /** Undefined = no Kyverno CLI was found: then a required check evaluates the policies, or nothing does. */
  readonly policies?: PolicyEngine | undefined;
  /** Undefined = only incidents of the same alert and workload are recalled. */
  readonly memory?: Memory | undefined;
  /** Undefined = nothing is capped. */
  readonly queue?: ProposalQueue | undefined;
  /** Undefined = nothing is leased. */
  readonly leases?: LeaseStore | undefined;
  /** Undefined = nothing that was merged is rolled back. */
  readonly rollbacks?: RollbackStore | undefined;
  /** Undefined = what runs already is not known. */
  readonly changes?: MergedChanges | undefined;
  /** Undefined = there is no such mode. */
  readonly watchtower?: WatchtowerMode | undefined;
  readonly records: Records;
  /** Where people edit a file of the default branch on the code host. */
  readonly editorOf?: ((path: string) => string) | undefined;
  /** Undefined = nobody is told outside of GitHub. */
  readonly notifier?: Notifier | undefined;
  /** Where people find what Rectify reads and shows. */
  readonly places?: PublicPlaces | undefined;
  readonly clock: Clock;
  readonly withTimeout: WithTimeout;
  readonly telemetry: Telemetry;
  readonly timings: Timings;
}
