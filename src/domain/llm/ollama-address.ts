/**
 * The address behind OLLAMA_HOST as Ollama itself reads it: `host`, `host:port`, `:port`, with a scheme and a path. An
 * address to listen on everywhere is this machine for a client. Undefined where it is none.
 */
export function ollamaAddress(text: string): string | undefined {
  const given = text.trim().replace(/^["']|["']$/g, "");
  const scheme = /^(https?):\/\//i.exec(given)?.[1]?.toLowerCase();
  const rest = scheme === undefined ? given : given.slice(scheme.length + 3);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(rest) || /\s/.test(rest)) return undefined;
  const [authority = "", ...path] = rest.split("/");
  const host = hostAndPort(authority);
  const address = `${scheme ?? "http"}://${host.name}${host.port === "" && scheme === undefined ? ":11434" : host.port}`;
  const whole = [address, ...path].join("/").replace(/\/+$/, "");
  return URL.canParse(whole) ? whole : undefined;
}

function hostAndPort(authority: string): { readonly name: string; readonly port: string } {
  // An IPv6 address may stand without its brackets when no port follows.
  const bare = /^[0-9a-f:]*:[0-9a-f]*:[0-9a-f:.]*$/i.test(authority) ? `[${authority}]` : authority;
  const [, name = "", port = ""] = /^(.*?)(:\d+)?$/.exec(bare) ?? [];
  const everywhere = name === "" || name === "0.0.0.0" || name === "[::]";
  return { name: everywhere ? "127.0.0.1" : name, port };
}
