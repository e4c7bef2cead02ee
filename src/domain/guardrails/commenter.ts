import { createHash } from "node:crypto";

/** What a person may do in the repository, as the code host's API names it. */
export type Permission = "none" | "read" | "triage" | "write" | "maintain" | "admin";

/** A comment on a proposal as it stands now. */
export interface Comment {
  readonly id: number;
  readonly proposal: number;
  readonly author: string;
  /** False for Apps, bots, and people who act through an App. */
  readonly byPerson: boolean;
  readonly body: string;
  readonly createdAt: string;
  /** True when the text is no longer the one that was first written. */
  readonly edited: boolean;
}

/** The hash by which a comment is recognised as unchanged since it was written. */
export function bodyHashOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}
