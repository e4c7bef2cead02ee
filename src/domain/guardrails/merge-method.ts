/** How a proposal comes onto the default branch, in the order in which we would choose. */
export const mergeMethods = ["squash", "merge", "rebase"] as const;
export type MergeMethod = (typeof mergeMethods)[number];
