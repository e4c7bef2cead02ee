interface Held {
  bytes: number;
  readonly letGo: () => void;
  /** It is whole and being answered: nothing can be let go any more. */
  whole: boolean;
}

/** One body while it comes in and is answered. */
interface HeldBody {
  add(bytes: number): void;
  /** All of it is here. */
  complete(): void;
  end(): void;
}

/**
 * All bodies that a listener holds at a moment stay below `most` bytes together: whoever opens many connections and never
 * ends what he sends would fill the memory otherwise. Of too much the largest that still comes in is let go, so that small
 * ones, as genuine ones mostly are, pass.
 */
export function heldBodies(most: number): { begin(letGo: () => void): HeldBody } {
  const all = new Set<Held>();
  let total = 0;
  const drop = (one: Held) => {
    if (all.delete(one)) total -= one.bytes;
  };
  const largest = () =>
    [...all]
      .filter(({ whole }) => !whole)
      .reduce<Held | undefined>((a, b) => (a && a.bytes >= b.bytes ? a : b), undefined);
  return {
    begin: (letGo) => {
      const own: Held = { bytes: 0, letGo, whole: false };
      all.add(own);
      return {
        add: (bytes) => {
          if (!all.has(own)) return;
          own.bytes += bytes;
          total += bytes;
          while (total > most) {
            const one = largest();
            if (one === undefined) return;
            drop(one);
            one.letGo();
          }
        },
        complete: () => {
          own.whole = true;
        },
        end: () => drop(own),
      };
    },
  };
}
