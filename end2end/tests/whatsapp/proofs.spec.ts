/** What may happen between the first code and the link: newer codes, silence, drops, a page that slept, a second number. */
import type { Page } from "@playwright/test";
import { expect, gatewayPage, test, unlinked } from "../../support/people.ts";
import { look, phone, server, startWhatsApp, stopWhatsApp } from "../../support/whatsapp.ts";

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
  await phone.logOut();
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
  await phone.logOut();
  await begin(page);
  const first = await look(page);
  await server.drop();
  await expect(page.locator("#steps")).toContainText("The connection to WhatsApp broke while the code was shown.");
  const second = await look(page, first);
  await expect(phone.scan(first)).rejects.toThrow("404");
  await link(page, second);
});
