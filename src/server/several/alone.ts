import { claimRecords } from "../../adapters/postgres/served.ts";
import { openPace } from "../../adapters/postgres/github-pace.ts";
import type { SharedPace } from "../../ports/github.ts";
import type { Telemetry } from "../../ports/runtime.ts";
import { nameOf } from "../../settings/repository.ts";
import type { Settings } from "../../settings/settings.ts";
import { repeat } from "../../adapters/http/repeat.ts";
import { placesOf, settingsAt } from "./places.ts";
import { retireRepositories, tellForeign } from "./retire.ts";

/** What a process has to know of the repositories beside its own. */
export interface Placed {
  /** With the database, directory and seal of its own repository. */
  readonly settings: Settings & { readonly databaseUrl: string };
  /** The common pace, where another database keeps it. */
  readonly pace: SharedPace | undefined;
  /**
   * Makes the records ours, once GitHub has answered to our name. Throws `Refused` where they are those of another name
   * that `isRenamed` does not know as a former one of ours.
   */
  claim(isRenamed: (former: string) => Promise<boolean>): Promise<void>;
  /** What is open for repositories that left the list ends from now on; none of it is looked for where others do so. */
  retire(telemetry: Telemetry): void;
  close(): Promise<void>;
}

const retireEveryMs = 60_000;

/** Finds the records of the one repository that this process serves: by its name, and not because they are there. */
export async function placeAlone(settings: Settings, databaseUrl: string): Promise<Placed> {
  if (settings.paceUrl !== undefined) {
    const { githubPace, close } = openPace(settings.paceUrl);
    const nothing = { claim: async () => undefined, retire: () => undefined };
    return { settings: { ...settings, databaseUrl }, pace: githubPace, ...nothing, close };
  }
  if (settings.repositories !== undefined) throw new Error("one process serves one repository");
  const { asked, others, foreign } = await placesOf(settings, databaseUrl);
  const [place] = asked;
  if (place === undefined) throw new Error("the repository has no place");
  let retiring: ReturnType<typeof repeat> | undefined;
  return {
    settings: { ...settingsAt(settings, settings.repository, place), databaseUrl: place.url },
    pace: undefined,
    claim: async (isRenamed) => {
      const own = { name: nameOf(settings.repository), cluster: settings.cluster };
      if (place.isFirst) await claimRecords(databaseUrl, own, isRenamed);
    },
    retire: (telemetry) => {
      tellForeign(foreign, telemetry);
      if (others.length === 0) return;
      retiring = repeat(retireEveryMs, async () => void (await retireRepositories(others, telemetry)));
      void retiring.now();
    },
    close: async () => retiring?.stop(),
  };
}
