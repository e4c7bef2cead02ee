import type { WantedChange } from "../../src/domain/kubernetes/manifest-edit.ts";

const forbids =
  /\b(?:do\s*not|don['’]?t|never|must|should|cannot|can['’]?t|only|keep|leave|no more than|singleton|managed by|controlled by|set by|overrid+en by|ignored|not)\b|\$imagepolicy/i;

const words = {
  replicas: /replica|count/i,
  hpa: /replica|count|min|max/i,
  "scaled-object": /replica|count|min|max/i,
  resources: /resources|requests|limits|cpu|memory/i,
  "image-tag": /image|tag|version/i,
} as const;

/** Whether one of the files says by a comment that the change is not to be made: one about other keys forbids nothing. */
export function isForbidden(texts: readonly string[], { kind }: Pick<WantedChange, "kind">): boolean {
  const wanted = Object.hasOwn(words, kind) ? words[kind as keyof typeof words] : /./;
  return texts.some((text) =>
    text.split("\n").some((line) => {
      const comment = /(?:^|\s)(?:#|\/\/)(.*)$/.exec(line)?.[1];
      if (comment === undefined || !forbids.test(comment)) return false;
      const named = [...comment.matchAll(/[a-zA-Z]\w*(?:\.\w+)+/g)].map(([name]) => name);
      const known = named.filter((name) => new RegExp(`\\b${name.split(".").at(-1) ?? ""}["']?\\s*:`).test(text));
      return known.length === 0 || known.some((name) => wanted.test(name));
    }),
  );
}
