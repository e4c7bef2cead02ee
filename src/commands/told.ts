/** What a command prints, and its exit code: 1 when something is wrong, 2 when it was called wrongly. */
export interface Told {
  readonly lines: readonly string[];
  readonly code: 0 | 1 | 2;
}
