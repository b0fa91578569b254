/** What may happen between the first code and the link: newer codes, silence, drops, a page that slept, a second number. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { contextOf, expect, gatewayPage, test, unlinked, viewerContext } from "../../support/people.ts";
import { docker, facts, killPanel, root, startPanel } from "../../support/stack.ts";
import { camera, look, phone, removedOnPhone, server, startWhatsApp, stopWhatsApp } from "../../support/whatsapp.ts";

// One after the other: each goes on from the link that the last one left.
test.describe.configure({ mode: "serial" });

test.beforeAll(startWhatsApp);
test.afterAll(async () => {
  // The next stand-in knows nothing of this link: the gateway must not go on believing in it.
  await phone.logOut();
  await stopWhatsApp();
});

const said = (page: Page) => page.locator("#verdict-said");
const scan = (page: Page) => page.locator("#scan-said");

/** Presses “Link” for an account that is not linked. */
async function begin(page: Page, account = "default"): Promise<void> {
  if (account === "default") await unlinked(page);
  await page.goto(`${gatewayPage()}/operations/new/relink?account=${account}`);
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await page.waitForURL(/\/operations\/[0-9a-f-]{36}/);
}

/** Scans, and ends when the page says that it is linked and connected. */
async function link(page: Page, code: string, account = "default", number?: string): Promise<void> {
  await phone.scan(code, { number });
  await expect(said(page)).toHaveText(`Link account ${account} is done`, { timeout: 60_000 });
  await expect(page.locator("#steps")).toContainText("Linked and connected");
}

test("five newer codes, each read from the page as it comes; the sixth code links", async ({ page }) => {
  await begin(page);
  const codes = [await look(page)];
  while (codes.length < 6) {
    await server.rotate();
    codes.push(await look(page, codes.at(-1)));
  }
  expect(new Set(codes).size).toBe(6);
  for (const old of codes.slice(0, -1)) await expect(phone.scan(old)).rejects.toThrow("404");
  await link(page, codes.at(-1) ?? "");
});

test("WhatsApp takes the connection and says nothing: the page says so and shows no code; once it speaks, a code comes by itself and links", async ({ page }) => {
  await removedOnPhone(page);
  await server.mute(true);
  await begin(page);
  await expect(scan(page)).toHaveText("Asking the gateway for a code");
  // The gateway waits for 20 s, as long as the panel allows.
  await expect(page.locator("#steps")).toContainText("WhatsApp's server took the connection and gave no code: try again in a few minutes. The gateway says:", { timeout: 40_000 });
  await expect(page.locator(".scan .code svg")).toHaveCount(0);
  await server.mute(false);
  await link(page, await look(page));
});

test("the connection to WhatsApp is lost while the code shows: a newer code comes by itself, and links", async ({ page }) => {
  await removedOnPhone(page);
  await begin(page);
  const first = await look(page);
  await server.drop();
  await expect(page.locator("#steps")).toContainText("The connection to WhatsApp broke while the code was shown.");
  const second = await look(page, first);
  await expect(phone.scan(first)).rejects.toThrow("404");
  await link(page, second);
});

test("a scan that does not finish, on an account that was logged out before, is told at once; the panel is killed with -9 in the middle, and it links when WhatsApp finishes it", async ({ page }) => {
  await removedOnPhone(page);
  await begin(page);
  await phone.scan(await look(page), { fault: "no-restart" });
  await expect(scan(page)).toHaveText("Scanned, finishing");
  await expect(page.locator(".scan .code svg")).toHaveCount(0);
  await killPanel();
  await startPanel();
  await page.reload();
  await expect(page.locator(".scan .code svg")).toHaveCount(0);
  await server.end("515");
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 60_000 });
  await expect(page.locator("#steps")).toContainText("Linked and connected");
});

test("a number that wants a passkey is named as that once WhatsApp lets the scanned device not in; its code is not shown again", async ({ page }) => {
  await removedOnPhone(page);
  await begin(page);
  const first = await look(page);
  await phone.scan(first, { fault: "passkey" });
  await expect(scan(page)).toHaveText("Scanned, finishing");
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 75_000 });
  await expect(page.locator("#verdict")).toContainText("this number wants a passkey, which this gateway cannot give: remove the device on the phone");

  // The gateway still holds that login, for as long as WhatsApp does.
  await begin(page);
  await expect(scan(page)).toHaveText("A new code comes by itself");
  await expect(page.locator("#scan")).toContainText(/makes a new one within \d+/);
  await expect(page.locator(".scan .code svg")).toHaveCount(0);
  await server.drop();
  await link(page, await look(page, first));
});

/** Ends every connection that a browser has, as a network does that goes away; Chromium's own switch leaves open streams alone. */
function cutOff(): void {
  const [network, door] = [process.env.END2END_NETWORK ?? "", process.env.END2END_DOOR ?? ""];
  execFileSync("ip", ["netns", "exec", network, "ss", "--kill", "--tcp", "dst", door], { stdio: "ignore" });
}

test("a page that slept five minutes, and through two newer codes, shows the live one within seconds of waking, and it links", async ({ page, browser, contextOptions }) => {
  await removedOnPhone(page);
  // Headless Chromium takes the order to freeze a page and goes on as before: so its clock and its network stand still.
  await page.clock.install();
  await begin(page);
  const awake = await contextOf(browser, contextOptions);
  const other = await awake.newPage();
  await other.goto(page.url());
  const first = await look(page);
  expect(await look(other)).toBe(first);

  await page.clock.pauseAt(Date.now() + 1_000);
  await page.context().setOffline(true);
  cutOff();
  await expect(page.locator("#link")).toContainText("connection lost since");
  await server.rotate();
  const second = await look(other, first);
  await server.rotate();
  const third = await look(other, second);
  const read = async () => camera(await page.screenshot());
  expect(await read()).toBe(first);

  await page.clock.fastForward("05:00");
  await page.clock.resume();
  await page.context().setOffline(false);
  await expect.poll(read, { timeout: 5_000 }).toBe(third);
  await expect(page.locator("#link")).toHaveText("live ·");
  await awake.close();
  await link(page, third);
});

/** Every address that could carry a code, from the panel's own tables: a page that is added later is in it. */
function addresses(operation: string): { pages: string[]; streams: string[]; forms: string[] } {
  const source = (path: string) => readFileSync(join(root, path), "utf8");
  const filled = (url: string, id: string) =>
    url.replace("{id}", id).replace("{account}", "default").replace("{kind}", "relink").replace("{name}", "none").replace("{token}", "0".repeat(64));
  const of = (urls: string[]) => urls.map((url) => filled(url, url.includes("operations/{id}") ? operation : "openclaw"));
  const found = (text: string, what: RegExp) => [...text.matchAll(what)].map((one) => one[1] ?? "");
  const named = found(source("app/domain/src/path.rs"), /^pub const [A-Z_]+: &str = "([^"]+)"/gm);
  const served = found(source("app/domain/src/path.rs"), /^ +Self::[A-Za-z]+ => "(\/[^"]+)",/gm);
  const pages = [
    ...found(source("app/src/answer.rs"), /^ +\("(\/[^"]*)", /gm),
    ...served.filter((url) => !url.startsWith("/events/")),
    ...named.filter((url) => !url.startsWith("/events/")),
    "/hand-off/{token}",
    "/gateways/{id}/operations/new/{kind}?account=default",
    // Nothing is there, and nothing should be.
    ...[".svg", ".png", "/code", "/code.svg", "/code.png", "/scan"].map((part) => `/operations/{id}${part}`),
    "/api/operations/{id}",
  ];
  const streams = [
    ...served.filter((url) => url.startsWith("/events/")),
    ...named.filter((url) => url.startsWith("/events/")),
  ];
  const forms = found(source("app/src/forms/mod.rs"), /"(\/api\/[^"]+)"/g);
  return { pages: [...new Set(of(pages))], streams: of(streams), forms };
}

/** What the browser of `page` gets from each address, with its own session; streams go on until `leave`. */
async function ask(page: Page, operation: string): Promise<{ got: Record<string, string>; leave: () => Promise<Record<string, string>> }> {
  const { pages, streams, forms } = addresses(operation);
  const form = { id: operation, gateway: "openclaw", kind: "relink", account: "default", reason: "", key: "vera", name: "none", role: "admin", link: "none", to: "" };
  const got = await page.evaluate(async ({ pages, streams, forms, form }) => {
    const heard: Record<string, string> = {};
    const stop = new AbortController();
    Object.assign(window, { heard, stop });
    const got: Record<string, string> = {};
    const whole = async (name: string, answer: Response) => {
      const text = await answer.text();
      const drawn = new DOMParser().parseFromString(text, "text/html").querySelectorAll(".scan:not(.is-small) svg").length;
      got[name] = `${answer.status} ${drawn ? "a drawing in .scan " : ""}${text}`;
    };
    await Promise.all([
      // What leads on to another site, the identity provider's, is not read by this one.
      ...pages.map(async (url) => whole(url, await fetch(url).catch(() => fetch(url, { redirect: "manual" })))),
      ...forms.map(async (url) =>
        whole(url, await fetch(url, { method: "POST", body: new URLSearchParams(form), headers: { accept: "text/html" } })),
      ),
      ...streams.map(
        (url) =>
          new Promise<void>((begun, failed) => {
            const read = async () => {
              const answer = await fetch(url, { signal: stop.signal });
              heard[url] = `${answer.status} `;
              const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
              for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
                heard[url] += part.value;
                if (/^event: (patch|lines|tick)/m.test(heard[url] ?? "")) begun();
              }
              begun();
            };
            read().catch((error) => (stop.signal.aborted ? begun() : failed(error)));
          }),
      ),
    ]);
    return got;
  }, { pages, streams, forms, form });
  const leave = () =>
    page.evaluate(() => {
      const { heard, stop } = window as unknown as { heard: Record<string, string>; stop: AbortController };
      stop.abort();
      return heard;
    });
  return { got, leave };
}

test("somebody without the right is given no code by any address, and a second screen of somebody with it shows the same one", async ({ page, browser, contextOptions }) => {
  await removedOnPhone(page);
  await begin(page);
  const first = await look(page);
  const operation = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const seen = `/operations/${operation}`;
  const streamed = `/events/operations/${operation}`;
  const context = await viewerContext(browser, contextOptions);
  const other = await context.newPage();
  await other.goto(`${facts().url}${seen}`);
  await expect(other.locator("#scan")).toContainText("operators and admins only");

  const theirs = await ask(other, operation);
  expect(Object.keys(theirs.got).length).toBeGreaterThan(40);
  // Anna's phone beside her monitor.
  const second = await page.context().newPage();
  await second.goto(page.url());
  expect(await look(second)).toBe(first);
  // Two people look, and the forms did nothing.
  await server.rotate();
  const newer = await look(second, first);
  await second.close();
  const shape = await page.locator(".scan .code svg path").first().getAttribute("d");
  const signs = ["wa.me", "scan-said", "a drawing in .scan", shape ?? "", ...[first, newer].flatMap((code) => (code.split("#")[1] ?? "").split(",").filter((part) => part.length > 40))];
  expect(signs).toHaveLength(4 + 8);
  const mine = await page.evaluate(async (url) => (await fetch(url)).text(), seen);
  for (const sign of ["wa.me", "scan-said", shape ?? "none", signs.at(-1) ?? "none"]) expect(mine).toContain(sign);

  await page.getByRole("button", { name: "Stop and put back" }).click();
  await expect(said(page)).toHaveText("Link account default was stopped and put back", { timeout: 30_000 });
  await expect(page.locator("#scan .code svg")).toHaveCount(0);
  // What was pushed before that has come by now.
  await expect(said(other)).toHaveText("Link account default was stopped and put back");
  const heard = await theirs.leave();
  expect(Object.keys(heard).length).toBeGreaterThan(4);
  expect(heard[streamed]).toContain("event: patch");
  for (const [address, answer] of Object.entries({ ...theirs.got, ...heard })) {
    for (const sign of signs) expect(answer.includes(sign), `${address}: ${sign.slice(0, 20)}`).toBe(false);
    expect(/\/hand-off\/(?!0{64})[0-9a-f]{64}/.test(answer), address).toBe(false);
  }
  await context.close();
});

const configuration = "/home/node/.openclaw/openclaw.json";
const inGateway = (script: string, ...given: string[]) => docker("exec", facts().container, "node", "-e", script, ...given);

test("two accounts are linked with two numbers; one is removed on its phone, the page says which, and the other stays", async ({ page }) => {
  const [numberA, numberB] = ["15550100001", "15550100002"];
  const before = inGateway(`process.stdout.write(fs.readFileSync("${configuration}", "utf8"))`);
  const write = (text: string) => inGateway(`fs.writeFileSync("${configuration}", process.argv[1])`, text);
  const two = JSON.parse(before);
  two.channels = { ...two.channels, whatsapp: { ...two.channels?.whatsapp, accounts: { default: {}, work: {} } } };
  const account = (name: string) => page.locator("#accounts li").filter({ has: page.locator("b", { hasText: name }) });
  const chips = (name: string) => account(name).locator(".chip");
  const live = async () => {
    const { connections } = await server.state();
    return connections.filter((one: { phase: string }) => one.phase === "live").map((one: { jid: string }) => one.jid.split(":")[0]).sort();
  };
  await phone.logOut();
  await unlinked(page);
  write(JSON.stringify(two, null, 2));
  try {
    // The gateway reads its configuration again by itself.
    await expect(chips("work")).toHaveText(["not linked", "not running"], { timeout: 60_000 });
    await begin(page);
    await link(page, await look(page), "default", numberA);
    await begin(page, "work");
    await link(page, await look(page), "work", numberB);
    await page.goto(gatewayPage());
    for (const name of ["default", "work"]) await expect(chips(name)).toHaveText(["linked", "connected"], { timeout: 30_000 });
    await expect(account("default").locator("b")).toContainText("0001");
    // The gateway tells the number of its default account alone.
    await expect(account("work").locator("b")).not.toContainText("0001");
    expect(await live()).toEqual([numberA, numberB]);

    await phone.logOut(numberB);
    await expect(chips("work")).toHaveText(["not linked", "not running"], { timeout: 30_000 });
    await expect(chips("default")).toHaveText(["linked", "connected"]);
    await expect(said(page)).toContainText("Account work does not get messages; 1 of 2 accounts do");
    expect(await live()).toEqual([numberA]);
  } finally {
    write(before);
    inGateway(`fs.rmSync("/home/node/.openclaw/credentials/whatsapp/work", { recursive: true, force: true })`);
  }
  await expect(account("work")).toHaveCount(0, { timeout: 60_000 });
  await expect(chips("default")).toHaveText(["linked", "connected"], { timeout: 30_000 });
});
