import type { Incident } from "../domain/incident.ts";
import { frontMatterOf, type PostMortem, readPostMortem } from "../domain/post-mortem.ts";
import type { Tree } from "../domain/tree.ts";
import { workloadKey } from "../domain/workload.ts";
import { parseYaml } from "../manifests/yaml.ts";
import type { Ports } from "../ports.ts";

/** What earlier incidents of this alert on this workload came to, newest first; read from the post-mortems in Git. */
export interface Recalled {
  readonly precedents: readonly PostMortem[];
}

/** Only outcomes that were verified (or failed the verification) say anything. */
const telling = new Set(["verified", "failed"]);

export async function recall(incident: Incident, ports: Pick<Ports, "github">): Promise<Recalled> {
  const { tree } = await ports.github.head();
  const same = postMortemsIn(tree).filter(
    (record) =>
      record.alert === incident.alert.name &&
      workloadKey(record.workload) === workloadKey(incident.workload) &&
      record.uid !== incident.uid &&
      telling.has(record.outcome),
  );
  return { precedents: same.sort((a, b) => b.startedAt.localeCompare(a.startedAt)).slice(0, mostPrecedents) };
}

const mostPrecedents = 20;

/** Every readable post-mortem of the tree; an unreadable one is left out, never a failure. */
export function postMortemsIn(tree: Tree): PostMortem[] {
  return tree
    .paths()
    .filter((path) => path.startsWith("postmortems/") && path.endsWith(".md"))
    .flatMap((path) => {
      const markdown = new TextDecoder().decode(tree.read(path));
      const front = parseYaml(frontMatterOf(markdown) ?? "");
      const read = front.ok ? readPostMortem(markdown, front.value) : undefined;
      return read?.kind === "post-mortem" ? [read.postMortem] : [];
    });
}
