import { dump, getScalarValue, load, loadAll, parseEvents, type Event, YAMLException } from "js-yaml";

/** The only file that imports js-yaml. Everything that reads or writes YAML as values goes through here. */
export type YamlEvent = Event;
type YamlScalarEvent = Extract<Event, { chomping: unknown }>;

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** One document as a plain value; a problem names line and column. */
export function parseYaml(text: string): Parsed<unknown> {
  return attempt(() => load(text));
}

/** All documents of a stream as plain values, empty ones included as null. */
export function parseYamlDocuments(text: string): Parsed<unknown[]> {
  return attempt(() => loadAll(text));
}

/** The events of a stream with their source offsets (UTF-16 code units of `text`). */
export function parseYamlEvents(text: string): Parsed<YamlEvent[]> {
  return attempt(() => parseEvents(text, {}));
}

/** The decoded text of a scalar event: quotes, escapes and folding undone, the type not resolved. */
export function scalarText(text: string, event: YamlScalarEvent): string {
  return event.valueStart < 0 ? "" : getScalarValue(text, event);
}

/** A value as YAML text. Only for files that Rectify itself creates: an existing file is edited by splices. */
export function renderYaml(value: unknown): string {
  return dump(value, { lineWidth: 120 });
}

/** A value as YAML in block style, each text in quotes, so that any reader finds the same. */
export function blockYaml(value: unknown): string {
  return dump(value, { lineWidth: -1, forceQuotes: true, noRefs: true }).replace(/\n$/, "");
}

function attempt<T>(work: () => T): Parsed<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    if (error instanceof YAMLException) return { ok: false, problem: error.message.split("\n")[0] ?? "invalid YAML" };
    throw error;
  }
}
