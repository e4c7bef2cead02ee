/** What follows from the parents of commits, told without a process where the two are near each other. */
interface NearHistory {
  /** Undefined = too far apart to tell. */
  isAncestor(ancestor: string, descendant: string): Promise<boolean | undefined>;
  /** Commits in `head` that are not in `base`, oldest first; undefined where that is no single line. */
  line(base: string, head: string): Promise<readonly string[] | undefined>;
}

/** Farther than this, one process is cheaper. */
const near = 40;

/** `read` gives the parents, and throws for what is no commit. */
export function nearHistory(read: (sha: string) => Promise<readonly string[]>): NearHistory {
  const parentsOf = (sha: string) => read(sha).catch(() => undefined);
  const isAncestor: NearHistory["isAncestor"] = async (ancestor, descendant) => {
    const seen = new Set([descendant]);
    let edge = [descendant];
    while (!seen.has(ancestor)) {
      if (edge.length === 0) return false;
      if (seen.size > near) return undefined;
      const before = await Promise.all(edge.map(parentsOf));
      if (before.includes(undefined)) return undefined;
      edge = [...new Set(before.flatMap((parents) => parents ?? []))].filter((sha) => !seen.has(sha));
      for (const sha of edge) seen.add(sha);
    }
    return true;
  };
  return {
    isAncestor,
    line: async (base, head) => {
      if (await isAncestor(head, base)) return [];
      const line: string[] = [];
      for (let at = head; at !== base; ) {
        const [parent, ...others] = (await parentsOf(at)) ?? [];
        if (parent === undefined || others.length > 0 || line.length > near) return undefined;
        line.push(at);
        at = parent;
      }
      return line.reverse();
    },
  };
}
