import { connectionsAllowed, mayCreateDatabases, recordedRepositories } from "../../adapters/postgres/served.ts";
import { known } from "../../ports/errors.ts";
import type { Clock } from "../../ports/runtime.ts";
import { settingsAt } from "../../server/several/places.ts";
import { nameOf, type Repository } from "../../settings/repository.ts";
import type { LoadedSettings, Settings } from "../../settings/settings.ts";
import type { Told } from "../told.ts";
import { examine, renderFindings } from "./doctor.ts";
import { bad, type DoctorFinding, good, warning } from "./finding.ts";

/** Examines the installation and tells what was found: for people, or as one JSON object. */
export async function runDoctor(loaded: LoadedSettings, asJson: boolean, clock: Clock): Promise<Told> {
  const findings = await examineEach(loaded, clock);
  const lines = findings.map(
    ({ point, state, found, fix }) => `${state.padEnd(7)} ${point}: ${found}${fix ? `\n        fix: ${fix}` : ""}`,
  );
  const isBad = findings.some(({ state }) => state === "bad");
  return { lines: asJson ? [renderFindings(findings)] : lines, code: isBad ? 1 : 0 };
}

/** Each of several repositories is examined for itself; what holds for all is told once, the rest with the name. */
export async function examineEach(loaded: LoadedSettings, clock: Clock): Promise<readonly DoctorFinding[]> {
  const repositories = loaded.ok ? loaded.value.repositories : undefined;
  if (!loaded.ok || repositories === undefined) return examine(loaded, clock);
  const examined: { readonly name: string; readonly findings: readonly DoctorFinding[] }[] = [];
  const { databaseUrl } = loaded.value;
  // A database that gives no answer is a point of its own.
  const places = databaseUrl === undefined ? [] : ((await known(() => recordedRepositories(databaseUrl))) ?? []);
  for (const repository of repositories) {
    const value = placedSettings(loaded.value, repository, places);
    examined.push({ name: nameOf(repository), findings: await examine({ ok: true, value }, clock) });
  }
  return [
    ...(await examineDatabases(loaded.value, repositories, places)),
    ...(await examineConnections(loaded.value, repositories.length)),
    ...merged(examined),
  ];
}

type Places = Awaited<ReturnType<typeof recordedRepositories>>;

/** With the database of its own records, where those are there already. */
function placedSettings(settings: Settings, repository: Repository, places: Places): Settings {
  const place = places.find(({ name }) => name === nameOf(repository).toLowerCase());
  return place === undefined ? { ...settings, repository } : settingsAt(settings, repository, place);
}

/** Each of several has a database of its own, which is made at the first start. */
async function examineDatabases(
  { databaseUrl }: Settings,
  repositories: readonly Repository[],
  places: Places,
): Promise<readonly DoctorFinding[]> {
  if (databaseUrl === undefined) return [];
  const fresh = repositories.map(nameOf).filter((name) => !places.some((one) => one.name === name.toLowerCase()));
  if (fresh.length === 0 || (await known(() => mayCreateDatabases(databaseUrl))) !== false) return [];
  const fix = "let a superuser run `alter role … createdb` for the user of DATABASE_URL; the first start makes them";
  return [bad("databases", `${fresh.join(", ")} need databases of their own, which we may not make`, fix)];
}

// Three pools of ten, and those that listen.
const connectionsEach = 33;

/** Each process has its own connections, and in an update there are two of each. */
export async function examineConnections({ databaseUrl }: Settings, count: number): Promise<readonly DoctorFinding[]> {
  if (databaseUrl === undefined) return [];
  const needed = connectionsEach * count;
  const allowed = await known(() => connectionsAllowed(databaseUrl));
  if (allowed === undefined) return [];
  const found = `${count} repositories take up to ${needed} connections of each pod, and Postgres allows ${allowed}`;
  if (2 * needed <= allowed) return [good("connections", found)];
  const fix = `set max_connections of Postgres to ${2 * needed} at least, and to as much again for each further replica`;
  return [warning("connections", found, fix)];
}

/** How long an answer took is another thing each time. */
const keyOf = ({ point, state, found, fix }: DoctorFinding) =>
  JSON.stringify([point, state, found.replace(/\d+(?= m?s\b)/g, ""), fix]);

function merged(
  all: readonly { readonly name: string; readonly findings: readonly DoctorFinding[] }[],
): readonly DoctorFinding[] {
  const isCommon = (finding: DoctorFinding) =>
    all.every(({ findings }) => findings.some((other) => keyOf(other) === keyOf(finding)));
  const common = all[0]?.findings.filter(isCommon) ?? [];
  const own = all.flatMap(({ name, findings }) =>
    findings.filter((one) => !isCommon(one)).map((one) => ({ ...one, point: `${name} ${one.point}` })),
  );
  return [...common, ...own];
}
