import { createHash } from "node:crypto";
import type { Built } from "../offline.ts";
import { copiesOf, type Reference } from "./copies.ts";
import { type HelmOptions, type HelmTemplate, helmTemplate, type Templating } from "./helm-template.ts";
import { documentsOf, textOf } from "./wrapped.ts";
import { keepNewest } from "../../../domain/text/keep-newest.ts";

interface Waiting {
  readonly asked: Templating;
  /** Equal for renderings that differ in nothing but values. */
  readonly kind: string;
  readonly answer: (built: Built) => void;
  readonly fail: (error: unknown) => void;
}

type Group = readonly Waiting[];

const most = 32;
const mostBytes = 8_000_000;
const keptReferences = 50;

/**
 * Templates what is asked at the same time by one run of Helm: a chart around as many copies of the asked one as there
 * are sets of values, each below a name of its own. So each set is still rendered by itself. One more copy is the
 * reference: it must write, letter for letter, what the chart wrote when it was rendered alone. A chart whose copy does
 * not, and a set that fails, are rendered alone.
 */
export function templatedTogether(options: HelmOptions): HelmTemplate {
  const alone = helmTemplate(options);
  const references = new Map<string, Reference | "apart">();
  let waiting: Group = [];
  let isBusy = false;

  async function work(): Promise<void> {
    for (let [first] = waiting; first !== undefined; [first] = waiting) {
      const { kind, asked } = first;
      const isLike = (one: Waiting) => one.kind === kind && one.asked.checked === asked.checked;
      const group = new Set(waiting.filter(isLike).slice(0, roomFor(asked)));
      waiting = waiting.filter((one) => !group.has(one));
      await settle([...group]);
    }
    isBusy = false;
  }

  async function settle(group: Group): Promise<void> {
    const [first, ...others] = group;
    if (first === undefined) return;
    const reference = references.get(first.kind);
    if (reference === undefined || reference === "apart" || others.length === 0) {
      await single(first);
      return settle(others);
    }
    const made = await copiesOf(options, reference, group.map(ofWaiting));
    if (typeof made !== "string") return group.forEach(({ answer }, n) => answer(made[n] ?? nothing));
    // One set of values may be at fault, or all copies: then the reference alone fails as well.
    const isApart = made === "apart" || typeof (await copiesOf(options, reference, [reference.asked])) === "string";
    if (isApart) references.set(first.kind, "apart");
    const middle = Math.ceil(group.length / 2);
    await settle(group.slice(0, middle));
    await settle(group.slice(middle));
  }

  async function single({ asked, kind, answer, fail }: Waiting): Promise<void> {
    try {
      const built = await alone(asked);
      const documents = built.ok ? documentsOf(built.output) : undefined;
      // Written as the copies are, down to the last blank line.
      answer(documents === undefined ? built : { ok: true, output: textOf(documents) });
      if (built.ok && !references.has(kind))
        keepNewest(references, kind, documents ? { asked, documents } : "apart", keptReferences);
    } catch (error) {
      fail(error);
    }
  }

  return (asked) =>
    new Promise((answer, fail) => {
      waiting = [...waiting, { asked, kind: kindOf(asked), answer, fail }];
      if (isBusy) return;
      isBusy = true;
      // Whoever asks in this turn is waited for.
      setImmediate(() => void work());
    });
}

const nothing: Built = { ok: false, because: "helm wrote nothing for it" };

const ofWaiting = ({ asked }: Waiting): Templating => asked;

function kindOf(asked: Templating): string {
  const { files, release, namespace, crds, isUpgrade = false, kubeVersion, apiVersions } = asked;
  const about = [release, namespace, crds, isUpgrade, kubeVersion, apiVersions];
  const hash = createHash("sha256").update(JSON.stringify(about));
  for (const path of [...files.keys()].sort())
    if (path !== "values.yaml") hash.update(`\0${path}\0`).update(files.get(path) ?? "");
  return hash.digest("hex");
}

function roomFor({ files }: Templating): number {
  const bytes = [...files.values()].reduce((sum, one) => sum + one.byteLength, 1);
  return Math.max(1, Math.min(most, Math.floor(mostBytes / bytes) - 1));
}
