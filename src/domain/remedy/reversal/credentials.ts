import type { RenderedObject } from "../../kubernetes/rendered.ts";
import { byIdentity, fieldsOf } from "../../root-cause/changes/object-fields.ts";

const words = "(?:passw(?:or)?d|passphrase|secret|token|credentials?|(?:api|access|private|signing)[_-]?key)";
// A variable, or a key of a ConfigMap or of a chart's values, that ends in such a word holds the credential itself.
const settings = new RegExp(
  `(?:\\.env\\[name=[^\\]]*${words}\\]\\.value|\\.(?:data|values)\\.(?:.*[._-])?\\w*${words})$`,
  "i",
);
const assignment = new RegExp(`(?<!existing[_-]?)${words}["']?\\s*[:=]\\s*["']?[^\\s"'{$]`, "i");

/** A credential in clear text that would go from one value to another; undefined = none. One that is missing may come back. */
export function credentialChanged(
  head: readonly RenderedObject[],
  after: readonly RenderedObject[],
): string | undefined {
  const [left, right] = [byIdentity(head), byIdentity(after)];
  for (const [key, object] of left) {
    const [was, becomes] = [fieldsOf(object), fieldsOf(right.get(key))];
    for (const [path, value] of becomes) {
      if (settings.test(path) && was.has(path) && was.get(path) !== value) return `${path.slice(1)} of ${key}`;
    }
  }
  return undefined;
}

/** Whether a line of a file gives a credential its value. */
export function assignsCredential(line: string): boolean {
  return assignment.test(line);
}
