import { afterAll, beforeAll, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { pageRoutes } from "../../../src/server/pages/routes.ts";
import { anIncident } from "../../builders.ts";
import { migratedDatabase } from "../../postgres.ts";

let store: Store;
let at: string;
let close: () => Promise<void>;
const uidOf = (index: number) => `5b0c1f4e-9a3d-5c7e-8f21-${String(index).padStart(12, "0")}`;
const links = { repository: "https://git.example/acme/shop" };

beforeAll(async () => {
  store = await openStore(await migratedDatabase());
  for (let index = 0; index < 60; index += 1) {
    const base = anIncident({ name: index === 5 ? "Slow & odd" : "Hot" });
    await store.recordIncident({ ...base, uid: uidOf(index), workload: { ...base.workload, name: `web-${index}` } });
    const ending = index % 2 === 0 ? "recovered" : "refused";
    if (index > 2) await store.endIncident(uidOf(index), { ending, because: `why ${index}`, outcome: { ending } });
  }
  await store.recordPull(12, uidOf(1));
  const server = await listen(pageRoutes(store, { links }), { host: "127.0.0.1", port: 0 });
  at = `http://127.0.0.1:${server.port}`;
  close = server.close;
});
afterAll(async () => {
  await close();
  await store.close();
});

const read = async (path: string) => (await fetch(at + path)).text();
const uidsIn = (text: string) => [...text.matchAll(/href="\/incidents\/([\w-]+)"/g)].map(([, uid]) => uid);
const linkNamed = (text: string, words: string) =>
  [...text.matchAll(/<a[^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)]
    .find(([, , name]) => name === words)?.[1]
    ?.replaceAll("&amp;", "&");

test("open incidents stand first, and the next page goes on where this one ends", async () => {
  const first = await read("/");
  expect(uidsIn(first).slice(0, 4)).toEqual([2, 1, 0, 59].map(uidOf));
  expect(first.indexOf("<h2>Open</h2>")).toBeLessThan(first.indexOf("<h2>Ended</h2>"));
  const second = await read(linkNamed(first, "Next page") ?? "");
  expect([...uidsIn(first), ...uidsIn(second)]).toHaveLength(60);
  expect(new Set([...uidsIn(first), ...uidsIn(second)]).size).toBe(60);
  expect(linkNamed(second, "Next page")).toBeUndefined();
});

test("filters are links in the address, with counts, and go together", async () => {
  const all = await read("/");
  expect(all).toContain(">all 60<");
  const refused = await read(linkNamed(all, "refused 29") ?? "");
  expect(refused).toContain('aria-current="true">refused 29<');
  const both = await read(`${linkNamed(refused, "last 24h") ?? ""}&text=why+5`);
  expect(uidsIn(both)).toEqual([59, 57, 55, 53, 51, 5].map(uidOf));
  expect(both).toContain('<input type="hidden" name="state" value="refused"');
  expect(uidsIn(await read("/?alert=Slow+%26+odd"))).toEqual([uidOf(5)]);
});

test("a filter that fits nothing says so and leads back, and one that nobody knows is no filter", async () => {
  expect(await read("/?workload=nowhere")).toMatch(/No incident fits\. <a href="\/">/);
  expect(uidsIn(await read("/?since=ever&order=x"))).toHaveLength(50);
  expect((await fetch(`${at}/?text=%00&after=nobody`)).status).toBe(200);
  for (const since of ["toString", "__proto__", "constructor"])
    expect((await fetch(`${at}/?since=${since}`)).status).toBe(200);
  for (const path of ["/audit?incident=%00", "/incidents/%00"]) expect((await fetch(at + path)).status).toBe(404);
});

test("a pull request leads to the code host", async () => {
  expect(await read("/?state=open")).toContain('<a href="https://git.example/acme/shop/pull/12">#12</a>');
});

test("an incident that goes on refreshes itself by a header until somebody keeps it still; one that ended never", async () => {
  const [open, still, ended] = await Promise.all(
    [`/incidents/${uidOf(1)}`, `/incidents/${uidOf(1)}?still=1`, `/incidents/${uidOf(9)}`].map((path) =>
      fetch(at + path),
    ),
  );
  expect([open, still, ended].map((answer) => answer?.headers.get("refresh"))).toEqual(["10", null, null]);
  expect(await open?.text()).toContain("refreshes itself every 10 s");
});

test("HEAD answers as GET does, without a body", async () => {
  const answer = await fetch(at, { method: "HEAD" });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toContain("text/html");
  expect(await answer.text()).toBe("");
});

test("an unknown path is a page of its own, the icon is ours", async () => {
  const lost = await fetch(`${at}/nowhere`);
  expect(lost.status).toBe(404);
  expect(await lost.text()).toContain('<a href="/">All incidents</a>');
  expect((await fetch(`${at}/favicon.svg`)).headers.get("content-type")).toBe("image/svg+xml");
});

test("the audit of one incident is that of one incident, under the verdict over the whole chain", async () => {
  await store.audit({ incident: uidOf(1), actor: "rectify", action: "create pull", detail: { title: "scale <web>" } });
  await store.audit({ incident: uidOf(2), actor: "rectify", action: "merge", detail: {} });
  const text = await read(`/audit?incident=${uidOf(1)}`);
  expect(text).toContain("The chain of 2 rows is whole.");
  expect(text).toMatch(/create pull[\s\S]*<dt>title<\/dt><dd>scale &lt;web&gt;<\/dd>/);
  expect(text).not.toContain("merge<");
  expect(await read(`/incidents/${uidOf(1)}`)).toContain("Audit rows (1)");
});
