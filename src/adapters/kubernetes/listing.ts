import { isKnownFailure, Refused } from "../../ports/errors.ts";
import { asked } from "./calls.ts";

const pageSize = 500;
const mostPages = 10;

/** Lists that belong together: what they lack becomes a note. */
interface Reading {
  readonly clients: { readonly deadlineMs: number };
  readonly notes: string[];
}

interface Listing<T> {
  readonly items: T[];
  readonly metadata?: { readonly _continue?: string };
}

interface Page {
  readonly limit: number;
  readonly _continue?: string;
}

/** Page by page, as far as a diagnosis needs it. A list that changed meanwhile (410) or stops is read in part, and says so. */
export async function listed<T>(
  reading: Reading,
  what: string,
  list: (page: Page) => Promise<Listing<T>>,
): Promise<T[]> {
  const items: T[] = [];
  let next: string | undefined;
  for (let page = 1; page <= mostPages; page += 1) {
    const from = { limit: pageSize, ...(next === undefined ? {} : { _continue: next }) };
    const found = await orPart(
      items.length > 0,
      asked(reading.clients, `listing ${what}`, () => list(from)),
    );
    if (found === "part") break;
    if (!Array.isArray(found?.items)) throw new Refused(`Kubernetes: listing ${what}: the answer is no list`);
    items.push(...found.items);
    next = found.metadata?._continue;
    if (!next || found.items.length === 0) break;
  }
  if (next) reading.notes.push(`only the first ${items.length} ${what} were read`);
  return items;
}

/** What was read before a later page failed is worth keeping. */
async function orPart<T>(begun: boolean, work: Promise<T>): Promise<T | "part"> {
  try {
    return await work;
  } catch (error) {
    if (begun && isKnownFailure(error)) return "part";
    throw error;
  }
}

/** The answer, or a note of why there is none. */
export async function orNote<T>(notes: string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!isKnownFailure(error)) throw error;
    notes.push(error.message);
    return undefined;
  }
}
