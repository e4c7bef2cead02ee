/** A kind of object that is not built into Kubernetes. */
export interface CustomType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export interface At {
  readonly namespace: string;
  readonly name: string;
}

/** Reads objects that are not built in. Throws like every adapter. */
export interface ReadCustom {
  /** Undefined when it does not exist. */
  one(type: CustomType, at: At): Promise<unknown>;
  /** All of the cluster; undefined when we may not list them, or the kind is not there. */
  all(type: CustomType): Promise<readonly unknown[] | undefined>;
}

/** What every object carries. */
export interface CustomObject {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

const longestMessage = 300;

/** The controller's own words, on one line. */
export function quoted(text: string | undefined): string {
  return (text ?? "").replace(/\s+/g, " ").trim().slice(0, longestMessage);
}

/** A commit as a controller writes it: bare, `main@sha1:<sha>`, or `main/<sha>` before Flux 0.36. */
export function commitIn(text: string | undefined): string | undefined {
  return /(?:^|sha1:|\/)([0-9a-f]{40})$/.exec(text ?? "")?.[1];
}

export type ReadOne = ReadCustom["one"];
