interface Pathed {
  readonly kind: string;
  readonly paths: readonly string[];
  readonly components: readonly string[];
}

interface Placed {
  readonly position: number;
  readonly deployer: Pathed;
}

const placedByAll = new WeakMap<readonly Pathed[], ReadonlyMap<string, readonly Placed[]>>();

/** The deployers of any of these paths, or with a component that stands there, releases of charts aside; each once, in their own order. */
export function deployersAt<D extends Pathed>(all: readonly D[], paths: Iterable<string>): D[] {
  const placed = placedByAll.get(all) ?? placesOf(all);
  placedByAll.set(all, placed);
  const found = new Map(
    [...paths].flatMap((path) => placed.get(path) ?? []).map((one) => [one.position, one.deployer]),
  );
  return [...found].sort(([a], [b]) => a - b).map(([, deployer]) => deployer as D);
}

function placesOf(all: readonly Pathed[]): ReadonlyMap<string, readonly Placed[]> {
  const places = new Map<string, Placed[]>();
  for (const [position, deployer] of all.entries()) {
    if (deployer.kind === "HelmRelease") continue;
    for (const path of new Set([...deployer.paths, ...deployer.components])) {
      const here = places.get(path) ?? [];
      places.set(path, here);
      here.push({ position, deployer });
    }
  }
  return places;
}
