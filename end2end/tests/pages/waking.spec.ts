import type { BrowserContext } from "@playwright/test";
import { expect, gatewayPage, test } from "../../support/people.ts";
import { startPanel, stopPanel } from "../../support/stack.ts";

/** What a page left open overnight is held to. */
const SOON = { timeout: 2_000 };

/** Chromium's own switch leaves open streams alone; a panel that ends cuts them. */
async function cutOff(context: BrowserContext): Promise<void> {
  await context.setOffline(true);
  await stopPanel();
  await startPanel();
}

test("a page that was offline is live within two seconds of being online", async ({ page, context }) => {
  await page.goto(gatewayPage());
  const link = page.locator("#link");
  await expect(link).toHaveText("live ·");
  await cutOff(context);
  await expect(link).toContainText("connection lost since");
  await context.setOffline(false);
  await expect(link).toHaveText("live ·", SOON);
});

test("a page that is looked at again is live within two seconds, whether or not the browser says that it is online", async ({ page, context }) => {
  await page.addInitScript(() => {
    // First at the window: the page's own listener hears nothing.
    window.addEventListener("online", (event) => event.stopImmediatePropagation(), true);
  });
  await page.goto(gatewayPage());
  const link = page.locator("#link");
  await expect(link).toHaveText("live ·");
  const look = (state: string) =>
    page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await look("hidden");
  await cutOff(context);
  await expect(link).toContainText("connection lost since");
  await context.setOffline(false);
  await look("visible");
  await expect(link).toHaveText("live ·", SOON);
});

test("a page whose script and module were lost on the way asks again, and is live", async ({ page }) => {
  const lost = new Set<string>();
  await page.route(/\/assets\/panel-[0-9a-f]+\.(js|wasm)/, async (route) => {
    const file = new URL(route.request().url()).pathname;
    if (lost.has(file) && route.request().url().includes("again=")) return route.continue();
    lost.add(file);
    await route.abort("connectionreset");
  });
  await page.goto(gatewayPage());
  await expect(page.locator("#link")).toHaveText("live ·");
  expect(lost.size, [...lost].join(" ")).toBe(2);
});
