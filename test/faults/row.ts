/** One case of the fault catalogue; an id may have several. It passes when the check returns. */
export interface FaultRow {
  /** The id in the catalogue, such as C04. */
  readonly id: string;
  readonly what: string;
  readonly check: () => void | Promise<void>;
  /** `kyverno`: without the real CLI the case cannot be judged. */
  readonly needs?: "kyverno";
}
