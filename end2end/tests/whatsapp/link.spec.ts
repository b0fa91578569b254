/** Linking by a scan: the real gateway and its plugin, WhatsApp's stand-in, and a decoder that is not the panel's. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { anOperation, carryOut, colleague, expect, gatewayPage, test, unlinked, verdict } from "../../support/people.ts";
import { facts, killPanel, panel, startPanel } from "../../support/stack.ts";
import { look, phone, removedOnPhone, server, shown, standIn, startWhatsApp, stopWhatsApp, underItsOwnName } from "../../support/whatsapp.ts";

// One after the other: each goes on from the link that the last one left.
test.describe.configure({ mode: "serial" });

test.beforeAll(startWhatsApp);
test.afterAll(async () => {
  if (putBack) {
    putBack();
    panel("operation", "start", "recreate", "--reason", "WhatsApp is found by the plugin's variable again", "--wait");
  }
  // The next stand-in knows nothing of this link: the gateway must not go on believing in it.
  await phone.logOut();
  await stopWhatsApp();
});

let putBack: (() => void) | undefined;
/** By which name, for what is connected, the gateway asked for WhatsApp. */
const askedFor = async () => (await server.state()).connections.map(({ phase, host }: { phase: string; host: string }) => `${phase} ${host}`);

const said = (page: Page) => page.locator("#verdict-said");
const linkIt = "/operations/new/relink?account=default";

async function start(page: Page): Promise<void> {
  await page.goto(`${gatewayPage()}${linkIt}`);
  await page.getByLabel(/^Why/).fill("end-to-end test");
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await page.waitForURL(/\/operations\/[0-9a-f-]{36}/);
  await expect(page.locator("#scan .code svg")).toBeVisible({ timeout: 40_000 });
}

/** What the page asked of the browser, told by the browser's own methods. */
async function listenToTheBrowser(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const asked: string[] = [];
    Object.assign(window, { asked });
    const request = navigator.wakeLock.request.bind(navigator.wakeLock);
    navigator.wakeLock.request = (kind) => {
      asked.push(`keep the ${kind} on`);
      return request(kind);
    };
    const vibrate = navigator.vibrate.bind(navigator);
    navigator.vibrate = (pattern) => {
      asked.push("vibrate");
      return vibrate(pattern);
    };
  });
  return () => page.evaluate(() => (window as unknown as { asked: string[] }).asked);
}

test("from nothing: the code is read from phone and monitor, light and dark, and the scan links and connects", async ({ page }, info) => {
  const asked = await listenToTheBrowser(page);
  await unlinked(page);
  await start(page);
  const codes = new Set<string>();
  for (const [width, height] of [[390, 844], [1280, 800]] as const) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      codes.add(await look(page));
    }
    await isAccessible(page);
    await picture(page, info, `relink-${width}`);
  }
  expect([...codes]).toEqual([expect.stringMatching(/^https:\/\/wa\.me\/settings\/linked_devices#2@/)]);
  expect(new Set(await asked())).toEqual(new Set(["keep the screen on"]));
  await expect(page.locator(".countdown circle").last()).toHaveAttribute("stroke-dashoffset", /^[1-9]/);
  await phone.scan(await look(page));
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 60_000 });
  await expect(page.locator("#scan .code svg")).toHaveCount(0);
  await expect.poll(asked).toContain("vibrate");
  await expect(page.locator("#steps")).toContainText("Linked and connected");
  await picture(page, info, "relink-done");
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 30_000 });
  await picture(page, info, "gateway-linked");
});

test("a link that works is not offered to be replaced", async ({ page }) => {
  await page.goto(`${gatewayPage()}${linkIt}`);
  await expect(page.getByText("Not needed: the account is linked and connected.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Link", exact: true })).toBeDisabled();
});

test("the link outlives a container that finds WhatsApp by name and certificate, and not by the plugin's variable", async ({ page }) => {
  expect(await askedFor()).toEqual(["live whatsapp:29443"]);
  putBack = underItsOwnName();
  await carryOut(page, "Recreate");
  await expect(said(page)).toHaveText("Recreate is done", { timeout: 170_000 });
  await expect(page.locator("#steps")).toContainText("Account default is connected");
  expect(await askedFor()).toEqual(["live web.whatsapp.com"]);
});

// From here on everything goes that way.
test("the phone removes the device: the page says so, and a newer code links anew", async ({ page }, info) => {
  await removedOnPhone(page);
  await expect(page.locator("#verdict")).toContainText("logged out from the phone");
  await picture(page, info, "gateway-logged-out");
  await page.getByRole("link", { name: "Link", exact: true }).first().click();
  await page.getByRole("button", { name: "Link", exact: true }).click();
  const first = await look(page);
  await server.rotate();
  const second = await look(page, first);
  await expect(phone.scan(first)).rejects.toThrow("404");
  await phone.scan(second);
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 60_000 });
  expect(await askedFor()).toEqual(["live web.whatsapp.com"]);
});

test("the panel killed with -9 while the code shows: the next one shows a code again, and it links", async ({ page }) => {
  await removedOnPhone(page);
  await start(page);
  await look(page);
  await killPanel();
  await startPanel();
  await page.reload();
  await expect(page.locator("#scan .code svg")).toBeVisible({ timeout: 60_000 });
  await phone.scan(await look(page));
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 90_000 });
});

test("two people press at the same instant: one login, both see the same code; the panel killed with -9 after the scan: the next one ends it", async ({ page, browser, contextOptions }) => {
  await removedOnPhone(page);
  const context = await colleague(browser, contextOptions, "otto", "operator");
  const other = await context.newPage();
  const pages = [page, other];
  const went = await Promise.all(
    pages.map(async (one) => {
      await one.goto(`${gatewayPage()}${linkIt}`);
      const answered = one.waitForResponse((answer) => answer.request().method() === "POST");
      await one.getByRole("button", { name: "Link", exact: true }).click();
      return (await answered).headers().location ?? "";
    }),
  );
  const won = went.findIndex((address) => anOperation.test(address));
  const [winner, loser] = [pages[won], pages[1 - won]];
  if (!winner || !loser) throw new Error(`nobody's link was begun: ${went.join(", ")}`);
  await expect(loser.getByRole("alert")).toContainText(`Link account default by ${["anna", "otto"][won]}`);
  const operation = `${facts().url}${new URL(went[won] ?? "", facts().url).pathname}`;
  await loser.goto(operation);
  const code = await look(winner);
  expect(await look(loser)).toBe(code);
  await context.close();
  await phone.scan(code);
  await killPanel();
  await startPanel();
  await page.goto(operation);
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 90_000 });
});

test("WhatsApp cannot be reached: it is said, with the gateway's own words", async ({ page }) => {
  await removedOnPhone(page);
  await server.drop(300_000);
  await page.goto(`${gatewayPage()}${linkIt}`);
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await expect(said(page)).toHaveText("Link account default failed, and everything was put back", { timeout: 150_000 });
  // Whether the gateway is refused or waits in vain depends on how long its other look-ups take.
  await expect(page.locator("#verdict")).toContainText(/cannot reach WhatsApp's servers|gave no code/);
  await expect(page.locator("#verdict")).toContainText("The gateway says");
  await server.reset();
});

test("a scan that is not the phone's own is named, and the next code links", async ({ page }) => {
  await start(page);
  const code = await look(page);
  await phone.scan(code, { fault: "bad-hmac" });
  await expect(page.locator("#steps")).toContainText("not confirmed as the phone's own", { timeout: 30_000 });
  await phone.scan(await look(page, code));
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 60_000 });
});

test("`panel demo scan` plays the phone, as the demo's own page says", async ({ page }) => {
  await removedOnPhone(page);
  const folder = facts().folder;
  const config = join(folder, "demo.toml");
  writeFileSync(config, `${readFileSync(join(folder, "panel.toml"), "utf8")}stand_in = "${standIn()}"\n`, { mode: 0o600 });
  await start(page);
  const told = execFileSync(process.env.PANEL_BIN ?? "", ["--config", config, "demo", "scan"], { encoding: "utf8" });
  expect(told).toContain("Scanned.");
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 60_000 });
});

test("no byte of a code is left in the log, the database or the journal", async () => {
  expect(shown.length).toBeGreaterThan(1);
  const folder = facts().folder;
  for (const code of new Set(shown)) {
    // The reference, and the secret that lets a phone link.
    const parts = code.split("#")[1]?.split(",") ?? [];
    for (const part of [parts[0], parts[3]]) {
      if (!part || part.length < 40) throw new Error("a code without its parts");
      const places = [join(folder, "panel.log"), join(folder, "data")].filter((place) => existsSync(place));
      expect(places).toHaveLength(2);
      let found = "";
      try {
        found = execFileSync("grep", ["-rlaF", "--", part, ...places], { encoding: "utf8" });
      } catch (error) {
        if ((error as { status?: number }).status !== 1) throw error;
      }
      expect(found).toBe("");
    }
  }
});
