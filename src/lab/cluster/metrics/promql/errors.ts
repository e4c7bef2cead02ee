/** The query is wrong as text: Prometheus answers 400 `bad_data`. */
export class BadQuery extends Error {
  override readonly name = "BadQuery";
}

/** The query cannot be answered: Prometheus answers 422 `execution`. */
export class FailedQuery extends Error {
  override readonly name = "FailedQuery";
}
