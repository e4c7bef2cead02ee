import { createHash, createHmac } from "node:crypto";
import { join } from "node:path";
import { type Served, type ServedRepository, servedRepositories } from "../../adapters/postgres/served.ts";
import { webAddress } from "../../settings/links.ts";
import { nameOf, type Repository } from "../../settings/repository.ts";
import type { Settings } from "../../settings/settings.ts";

/** Where the records of the repositories of these settings are, and of those that left them. */
export function placesOf(settings: Settings, databaseUrl: string): Promise<Served> {
  const { repository, repositories = [repository], cluster } = settings;
  return servedRepositories(databaseUrl, { names: repositories.map(nameOf), cluster });
}

/**
 * The settings of one of the repositories: its own database, directory and seal, so that neither records nor
 * post-mortems of one can be read as another's. The one that has the first database keeps what a single one has.
 */
export function settingsAt(settings: Settings, repository: Repository, place: ServedRepository): Settings {
  const { dataDirectory, sealKey, links, github } = settings;
  const below = `repositories/${slugOf(place.name)}`;
  const pages = settings.repositories === undefined ? links?.pages : underName(links?.pages, repository);
  return {
    ...{ ...settings, repository, databaseUrl: place.url },
    ...(links === undefined
      ? {}
      : { links: { ...links, pages, repository: `${webAddress(github.apiUrl)}/${nameOf(repository)}` } }),
    ...(place.isFirst
      ? {}
      : {
          dataDirectory: join(dataDirectory, below),
          sealKey: createHmac("sha256", sealKey).update(`seal of ${place.name}`).digest("hex"),
        }),
  };
}

const underName = (pages: string | undefined, repository: Repository) =>
  pages === undefined ? undefined : `${pages}/repositories/${nameOf(repository)}`;

/** Different for different names, also where one has a character that the other's file name cannot show. */
function slugOf(name: string): string {
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 10);
  return `${name.replace(/[^a-z0-9]+/g, "-")}-${hash}`;
}
