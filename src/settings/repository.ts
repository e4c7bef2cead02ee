import { z } from "zod";
import { addressOf, repositoryNamed } from "../domain/text/repository-address.ts";

/** A GitOps repository that is worked on. */
export interface Repository {
  readonly owner: string;
  readonly repo: string;
  /** Further addresses that controllers read it from, under whatever owner and name. */
  readonly mirrors?: readonly string[];
}

const isSecretive = (address: string) =>
  /^(?!ssh:)[a-z+]+:\/\/[^/]*@/i.test(address) || /^[^/@]*:[^/@]*@/.test(address.replace(/^[a-z+]+:\/\//i, ""));
const isCloneAddress = (address: string) => /^(?:(?:https?|ssh|git):\/\/[^/]+\/|[^/:@]+@[^/:]+:)[^?#]+$/i.test(address);
const listed = (text: string) => text.split(/[\s,]+/).filter((one) => one !== "");
const isName = (text: string) => /^[\w.-]+\/[\w.-]+$/.test(text);
const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** A list with commas between its items, or what is wrong with one of them. */
const list =
  (problemOf: (items: readonly string[]) => string | undefined) => (text: string, context: z.RefinementCtx) => {
    const items = listed(text);
    const message = problemOf(items);
    if (message === undefined) return items;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };

const names = list((items) => {
  if (items.length === 0 || !items.every(isName)) return "must be owner/name, or several with commas between them";
  const twice = items.find((item, index) => items.findIndex((other) => isSame(item, other)) < index);
  return twice === undefined ? undefined : `names ${twice} twice`;
});

/** `owner/name=address`, or the address alone. */
function sourceOf(item: string): { readonly of: string | undefined; readonly address: string } {
  const [, of, address = item] = /^([\w.-]+\/[\w.-]+)=(.*)$/.exec(item) ?? [];
  return { of, address };
}

const addresses = list((items) => {
  const given = items.map((item) => sourceOf(item).address);
  if (given.some(isSecretive))
    return "must not hold a user or password: only the address counts, nothing is fetched from it";
  if (given.every(isCloneAddress)) return undefined;
  return "must be addresses such as https://git.example/mirrors/gitops or git@git.example:mirrors/gitops, with commas between them";
});

/** The variables that name what is worked on. */
export const repositoryVariables = {
  RECTIFY_REPOSITORY: z.string({ error: "is missing: set the GitOps repository as owner/name" }).transform(names),
  RECTIFY_SOURCE_URLS: z.string().transform(addresses).optional(),
};

/** What does not go with several repositories, or is said of none of them. */
export function repositoryProblems(given: Readonly<Record<string, string | undefined>>): readonly string[] {
  const all = listed(given.RECTIFY_REPOSITORY ?? "");
  const several = all.length > 1;
  const sources = listed(given.RECTIFY_SOURCE_URLS ?? "").map(sourceOf);
  const unnamed = several && sources.some(({ of }) => of === undefined);
  const stranger = sources.find(({ of }) => of !== undefined && !all.some((one) => isSame(one, of)))?.of;
  return [
    ...(several && given.GITHUB_CLONE_URL !== undefined
      ? ["GITHUB_CLONE_URL: is the address of one repository, and several are served: unset it"]
      : []),
    ...(several && given.PAGES_CLIENT_ID !== undefined
      ? [
          "PAGES_CLIENT_ID: GitHub is asked about one repository, and several are served: put an authenticating proxy in front (PAGES_USER_HEADER, PAGES_PROXY_SECRET)",
        ]
      : []),
    ...(unnamed ? ["RECTIFY_SOURCE_URLS: several repositories are served: write owner/name=address"] : []),
    ...(stranger === undefined
      ? []
      : [`RECTIFY_SOURCE_URLS: ${stranger} is not in RECTIFY_REPOSITORY: add it there, or take it out here`]),
    ...(several && !unnamed ? contested(sources, all) : []),
  ];
}

/** Addresses that two of several repositories would claim: changes for one must not be made in the other. */
function contested(sources: readonly ReturnType<typeof sourceOf>[], all: readonly string[]): readonly string[] {
  const problems = sources.map(({ of = "", address }, index) => {
    if (isSecretive(address) || !isCloneAddress(address)) return undefined;
    const named = all.find((one) => isSame(one, repositoryNamed(address) ?? "") && !isSame(one, of));
    if (named !== undefined)
      return `RECTIFY_SOURCE_URLS: ${address} is said to be ${of} and names ${named}, which RECTIFY_REPOSITORY lists as well: take it out here`;
    return sources.findIndex((other) => addressOf(other.address) === addressOf(address)) < index
      ? `RECTIFY_SOURCE_URLS: ${address} stands twice: say of one repository alone that it is read from there`
      : undefined;
  });
  return problems.flatMap((problem) => problem ?? []);
}

/** What a command that works on one repository says where several are named; undefined where it is one. */
export function oneOfSeveral(repositories: readonly Repository[] | undefined): string | undefined {
  if (repositories === undefined) return undefined;
  const names = repositories.map(nameOf).join(", ");
  return `RECTIFY_REPOSITORY: names several (${names}), and this command works on one: set it to one of them`;
}

/** The repositories that these variables name, in their order; at least one. */
export function repositoriesOf(
  read: z.infer<z.ZodObject<typeof repositoryVariables>>,
): readonly [Repository, ...Repository[]] {
  const sources = (read.RECTIFY_SOURCE_URLS ?? []).map(sourceOf);
  const [first = "", ...others] = read.RECTIFY_REPOSITORY;
  const repositoryOf = (name: string): Repository => {
    const [owner = "", repo = ""] = name.split("/");
    const mirrors = sources.filter(({ of }) => of === undefined || isSame(of, name)).map(({ address }) => address);
    return { owner, repo, ...(mirrors.length === 0 ? {} : { mirrors }) };
  };
  return [repositoryOf(first), ...others.map(repositoryOf)];
}

/** `owner/name`, as people write it. */
export const nameOf = ({ owner, repo }: Repository): string => `${owner}/${repo}`;
