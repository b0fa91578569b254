import { expect, gatewayPage, test } from "../../support/people.ts";

/** What a page left open overnight is held to. */
const SOON = { timeout: 2_000 };

test("a page that was offline is live within two seconds of being online", async ({ page, context }) => {
  await page.goto(gatewayPage());
  const link = page.locator("#link");
  await expect(link).toHaveText("live ·");
  await context.setOffline(true);
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
  await context.setOffline(true);
  await expect(link).toContainText("connection lost since");
  await context.setOffline(false);
  await look("visible");
  await expect(link).toHaveText("live ·", SOON);
});
