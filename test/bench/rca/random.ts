/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 to 1, without 1. */
  readonly uniform: () => number;
  readonly between: (low: number, high: number) => number;
  /** Throws when there is nothing to pick from. */
  readonly pick: <T>(items: readonly T[]) => T;
  /** Of the normal distribution with mean 0 and standard deviation 1. */
  readonly gauss: () => number;
}

/** Mulberry32: small and repeatable. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const gauss = () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform());
  return {
    ...{ uniform, gauss, between: (low, high) => low + (high - low) * uniform() },
    pick: <T>(items: readonly T[]): T => {
      const item = items[Math.floor(uniform() * items.length)];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
  };
}
