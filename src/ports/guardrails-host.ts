import type { LineProblem } from "../manifests/repository/guardrails-file.ts";

/** The guardrails file as the head of a pull request has it. */
export interface GuardrailsFile {
  readonly pull: number;
  readonly headSha: string;
  /** The id of its text: one text is judged once for one head. */
  readonly blob: string;
  /** Undefined when the pull request removes it. */
  readonly bytes: Uint8Array | undefined;
}

export interface GuardrailsVerdict {
  readonly path: string;
  readonly conclusion: "success" | "failure";
  readonly title: string;
  readonly summary: string;
  readonly problems: readonly LineProblem[];
}

/** A pull request that adds one file. */
export interface FileProposal {
  readonly branch: string;
  readonly title: string;
  readonly body: string;
  readonly path: string;
  readonly content: string;
}

/** The pull request of a file, now or from before. */
export interface ProposedFile {
  readonly pull: number;
  /** False = it was there before, whatever became of it. */
  readonly isNew: boolean;
  readonly isOpen: boolean;
}

/** The guardrails file on the code host, where people meet it. */
export interface GuardrailsHost {
  /** Our own login: what we push ourselves leaves the file alone, or is it with its defaults. */
  readonly login: string;
  /** Undefined when the pull request is closed or leaves the file alone. */
  changedIn(pull: number, path: string): Promise<GuardrailsFile | undefined>;
  /** The newest open pull requests of others that changed since then. */
  pullsSince(since: Date): Promise<readonly number[]>;
  /** A Check Run with a mark at each line that is wrong. Calling it twice is safe. */
  check(file: GuardrailsFile, verdict: GuardrailsVerdict): Promise<void>;
  /** Opens a pull request that adds one file, unless one was ever opened from this branch. */
  proposeOnce(proposal: FileProposal): Promise<ProposedFile>;
}
