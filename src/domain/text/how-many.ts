/** "once", "3 times". */
export function timesOf(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

/** "1 incident", "3 incidents". */
export function incidentsOf(count: number): string {
  return count === 1 ? "1 incident" : `${count} incidents`;
}
