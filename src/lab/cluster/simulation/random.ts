/** The next number of a fixed sequence, 0 ≤ n < 1. */
export type Random = () => number;

/** The same seed gives the same sequence (mulberry32, public domain). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const letters = "bcdfghjklmnpqrstvwxz2456789";

/** A name part as Kubernetes draws it. */
export function randomName(random: Random, length: number): string {
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join("");
}
