/**
 * Whether two names are of one model, in every notation that Ollama takes: `llama3`, `llama3:latest`,
 * `library/llama3`, `registry.ollama.ai/library/llama3:latest`, `hf.co/maker/model:Q4_K_M`, with a scheme or without.
 * https://github.com/ollama/ollama/blob/main/types/model/name.go
 */
export function isSameModel(one: string, other: string): boolean {
  return fullName(one) === fullName(other);
}

const defaults = { host: "registry.ollama.ai", namespace: "library", tag: "latest" };

function fullName(name: string): string {
  const plain = name.trim().replace(/^https?:\/\//i, "");
  const slash = plain.lastIndexOf("/");
  const colon = plain.indexOf(":", slash + 1);
  const [path, tag] = colon < 0 ? [plain, defaults.tag] : [plain.slice(0, colon), plain.slice(colon + 1)];
  const parts = path.split("/");
  const [model = "", namespace = defaults.namespace] = parts.toReversed();
  const host = parts.length > 2 ? parts.slice(0, -2).join("/") : defaults.host;
  return `${host}/${namespace}/${model}:${tag}`.toLowerCase();
}
