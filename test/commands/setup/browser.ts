/** A form of a page: where it goes and what it sends. */
function formOf(html: string, page: string): { readonly action: string; readonly fields: URLSearchParams } {
  const decoded = (text: string) =>
    text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const action = /<form action="([^"]*)"/.exec(html)?.[1];
  if (action === undefined) throw new Error(`no form on ${page}: ${html}`);
  const inputs = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  const fields = new URLSearchParams(
    inputs.map(([, name = "", value = ""]): [string, string] => [name, decoded(value)]),
  );
  return { action: new URL(decoded(action), page).toString(), fields };
}

/** The person's browser: presses the button of a page and answers where that led, without following it. */
export async function press(page: string): Promise<Response> {
  const { action, fields } = formOf(await (await fetch(page)).text(), page);
  return fetch(action, { method: "POST", body: fields, redirect: "manual" });
}

/** Registers and installs the App, as a person does by four clicks. The answer is the address that GitHub sent back to. */
export async function registerAndInstall(address: string): Promise<string> {
  const shown = await press(address);
  const { action, fields } = formOf(await shown.text(), shown.url);
  const created = await fetch(action, { method: "POST", body: fields, redirect: "manual" });
  const back = created.headers.get("location") ?? "";
  const install = (await fetch(back, { redirect: "manual" })).headers.get("location") ?? "";
  await press(install);
  return back;
}
