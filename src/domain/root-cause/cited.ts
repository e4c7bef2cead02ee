/** A value read from evidence, with the ids it was read from. */
export interface Cited<T> {
  readonly value: T;
  readonly from: readonly string[];
}
