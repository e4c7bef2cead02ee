/**
 * What a value is counted in. `share` is 0 to 1, read as a percentage; empty = nobody could tell, and the number is
 * shown as it is.
 */
type Unit = "s" | "ms" | "bytes" | "share" | "%" | "1/s" | "cores" | "";

/**
 * The unit of what a query returns, from the names of its metrics (https://prometheus.io/docs/practices/naming/). Other
 * arithmetic than a rate, a quantile, a mean or a share leaves it unknown: a wrong unit is worse than none.
 */
export function unitOf(query: string): Unit {
  const bare = query.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, "").replace(/\{[^}]*\}|\[[^\]]*\]/g, "");
  const percent = /^\s*100\s*\*|\*\s*100\s*\)*\s*$/.test(bare);
  const plain = bare.replace(/^\s*100\s*\*/, "").replace(/\*\s*100(\s*\)*\s*)$/, "$1");
  if (/(?<![\w.])\d+(?:\.\d+)?\s*[*/]|[*/]\s*\d/.test(plain)) return "";
  const unit = quantileUnit(plain) ?? dividedUnit(plain) ?? singleUnit(plain);
  if (!percent) return unit;
  return unit === "share" ? "%" : "";
}

function quantileUnit(query: string): Unit | undefined {
  if (!query.includes("histogram_quantile")) return undefined;
  if (query.includes("/")) return "";
  return /(\w+)_bucket\b/.test(query) ? baseUnit(/(\w+)_bucket\b/.exec(query)?.[1] ?? "") : "";
}

function dividedUnit(query: string): Unit | undefined {
  const parts = query.split("/");
  if (parts.length === 1) return undefined;
  const [over = "", under = ""] = parts;
  if (parts.length > 2 || /[+]|(?<!\w)-/.test(query)) return "";
  const sum = /(\w+)_sum\b/.exec(over)?.[1];
  if (sum !== undefined) return under.includes(`${sum}_count`) ? baseUnit(sum) : "";
  const [left, right] = [singleUnit(over), singleUnit(under)];
  return left !== "" && left === right ? "share" : "";
}

function singleUnit(query: string): Unit {
  const names = [...query.matchAll(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g)].map(([name]) => name);
  const metrics = names.filter((name) => /[_:]/.test(name) && !/_over_time$|^histogram_/.test(name));
  const [name, ...others] = [...new Set(metrics)];
  if (name === undefined || others.length > 0) return "";
  if (/\b(?:rate|irate)\s*\(/.test(query)) {
    if (/cpu\w*_seconds_total$/.test(name)) return "cores";
    return /_(?:total|count)$/.test(name) && !/_(?:bytes|seconds|milliseconds)_/.test(name) ? "1/s" : "";
  }
  return /\b(?:increase|delta|deriv|predict_linear)\s*\(/.test(query) ? "" : baseUnit(name);
}

function baseUnit(name: string): Unit {
  if (/_(?:milliseconds|millis|ms)$/.test(name)) return "ms";
  if (/_seconds$/.test(name)) return "s";
  if (/_bytes$/.test(name)) return "bytes";
  return /[_:](?:ratio|utilization|utilisation)$/.test(name) ? "share" : "";
}

/** The scale on which values up to `most` are read best: `1950 ms` are 1.95 s. */
interface Scale {
  readonly name: string;
  readonly factor: number;
}

const ladders: Readonly<Record<Exclude<Unit, "">, readonly (readonly [number, string])[]>> = {
  ms: [
    [0, "ms"],
    [1_000, "s"],
    [120_000, "min"],
    [7_200_000, "h"],
  ],
  s: [
    [0, "ms"],
    [1, "s"],
    [120, "min"],
    [7_200, "h"],
  ],
  bytes: [
    [0, "B"],
    [1e3, "kB"],
    [1e6, "MB"],
    [1e9, "GB"],
    [1e12, "TB"],
  ],
  share: [[0, "%"]],
  "%": [[0, "%"]],
  "1/s": [[0, "per second"]],
  cores: [[0, "cores"]],
};

// What one of each name is, in its unit.
const sizes: Readonly<Record<Exclude<Unit, "">, Readonly<Record<string, number>>>> = {
  ms: { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 },
  s: { ms: 0.001, s: 1, min: 60, h: 3_600 },
  bytes: { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 },
  share: { "%": 0.01 },
  "%": { "%": 1 },
  "1/s": { "per second": 1 },
  cores: { cores: 1 },
};

export function scaleFor(most: number, unit: string): Scale {
  if (!isUnit(unit)) return { name: unit, factor: 1 };
  const name = ladders[unit].findLast(([from]) => Math.abs(most) >= from)?.[1] ?? ladders[unit][0]?.[1] ?? "";
  return { name, factor: 1 / (sizes[unit][name] ?? 1) };
}

/** One value as people read it, with three digits: `1.95 s`, `104 MB`, `0.3 %`. */
export function renderValue(value: number, unit: string): string {
  const { name, factor } = scaleFor(value, unit);
  const scaled = value * factor;
  const digits = Math.abs(scaled) >= 1000 ? String(Math.round(scaled)) : String(Number(scaled.toPrecision(3)));
  if (name === "cores" && digits === "1") return "1 core";
  return name === "" ? digits : `${digits} ${name}`;
}

function isUnit(unit: string): unit is Exclude<Unit, ""> {
  return Object.hasOwn(ladders, unit);
}
