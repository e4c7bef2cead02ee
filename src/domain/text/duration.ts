const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration such as `90s`, `30m`, `24h` or `7d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^([1-9]\d{0,3})(s|m|h|d)$/.exec(text);
  const unit = units[match?.[2] ?? ""];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

/** Two units at most, for people: `2 h 5 min`. Below a minute the seconds. */
export function renderDuration(milliseconds: number): string {
  const minutes = Math.max(0, Math.round(milliseconds / 60_000));
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor((minutes % 1440) / 60), "h"],
    [minutes % 60, "min"],
  ].filter(([amount]) => amount !== 0);
  return parts.length === 0
    ? `${Math.max(0, Math.round(milliseconds / 1_000))} s`
    : parts
        .slice(0, 2)
        .map((part) => part.join(" "))
        .join(" ");
}
