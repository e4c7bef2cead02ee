import { z } from "zod";

/** The GitOps repository that is worked on. */
export interface Repository {
  readonly owner: string;
  readonly repo: string;
  /** Further addresses that controllers read it from, under whatever owner and name. */
  readonly mirrors?: readonly string[];
}

const oneRepository = "must name one repository: run one Rectify, with a database of its own, for each of several";
const isSecretive = (address: string) =>
  /^(?!ssh:)[a-z+]+:\/\/[^/]*@/i.test(address) || /^[^/@]*:[^/@]*@/.test(address.replace(/^[a-z+]+:\/\//i, ""));
const isCloneAddress = (address: string) => /^(?:(?:https?|ssh|git):\/\/[^/]+\/|[^/:@]+@[^/:]+:)[^?#]+$/i.test(address);

/** The addresses of a list with commas between them. */
const addresses = z.string().transform((text, context) => {
  const list = text.split(/[\s,]+/).filter((one) => one !== "");
  const message = list.some(isSecretive)
    ? "must not hold a user or password: only the address counts, nothing is fetched from it"
    : list.every(isCloneAddress)
      ? undefined
      : "must be addresses such as https://git.example/mirrors/gitops or git@git.example:mirrors/gitops, with commas between them";
  if (message === undefined) return list;
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

/** The variables that name what is worked on. */
export const repositoryVariables = {
  RECTIFY_REPOSITORY: z
    .string({ error: "is missing: set the GitOps repository as owner/name" })
    .refine((text) => !/[\s,;]/.test(text.trim()), { error: oneRepository, abort: true })
    .regex(/^[\w.-]+\/[\w.-]+$/, "must be owner/name"),
  RECTIFY_SOURCE_URLS: addresses.optional(),
};

/** The repository that these variables name. */
export function repositoryOf(read: z.infer<z.ZodObject<typeof repositoryVariables>>): Repository {
  const [owner = "", repo = ""] = read.RECTIFY_REPOSITORY.split("/");
  const mirrors = read.RECTIFY_SOURCE_URLS;
  return { owner, repo, ...(mirrors === undefined ? {} : { mirrors }) };
}
