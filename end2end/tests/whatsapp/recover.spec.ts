/** Fix WhatsApp: the gentlest step that helps, with the real gateway and WhatsApp's stand-in. */
import type { Page } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { carryOut, expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { look, phone, startWhatsApp, stopWhatsApp } from "../../support/whatsapp.ts";

// One after the other: each goes on from the link that the last one left.
test.describe.configure({ mode: "serial" });

test.beforeAll(startWhatsApp);
test.afterAll(async () => {
  // The next stand-in knows nothing of this link: the gateway must not go on believing in it.
  await phone.logOut();
  await stopWhatsApp();
});

const said = (page: Page) => page.locator("#verdict-said");
const steps = (page: Page) => page.locator("#steps");
const fixIt = "/operations/new/recover?account=default";

/** Presses the button on the question's page; ends on the operation's page. */
async function confirm(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Fix WhatsApp", exact: true }).click();
  await page.waitForURL(/\/operations\/[0-9a-f-]{36}/);
}

test("an account without a link: the one strong button goes straight to the code, and the scan brings it up", async ({ page }, info) => {
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("WhatsApp is not linked", { timeout: 30_000 });
  await expect(page.locator("#verdict")).toContainText("tries the gentlest step first");
  await picture(page, info, "gateway-fix");
  await page.getByRole("link", { name: "Fix WhatsApp", exact: true }).click();
  await isAccessible(page);
  await picture(page, info, "recover-question");
  await confirm(page);
  await expect(steps(page)).toContainText("Not tried: It does not bring a link back.");
  await expect(steps(page)).not.toContainText("Restart the container");
  const code = await look(page);
  await isAccessible(page);
  await picture(page, info, "recover-scan");
  await phone.scan(code);
  await expect(said(page)).toHaveText("Fix WhatsApp is done", { timeout: 60_000 });
  await expect(page.locator("#scan .code svg")).toHaveCount(0);
  await picture(page, info, "recover-done");
});

test("what works is not offered to be fixed", async ({ page }) => {
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 30_000 });
  await page.goto(`${gatewayPage()}${fixIt}`);
  await expect(page.getByText("Not needed: the account is connected, and the gateway is ready.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Fix WhatsApp", exact: true })).toBeDisabled();
});

test("a stopped container is started, and its account connects without a scan", async ({ page }) => {
  await carryOut(page, "Stop");
  await expect(said(page)).toHaveText("Stop is done", { timeout: 120_000 });
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("the gateway is stopped", { timeout: 30_000 });
  await page.goto(`${gatewayPage()}${fixIt}`);
  await confirm(page);
  await expect(said(page)).toHaveText("Fix WhatsApp is done", { timeout: 170_000 });
  await expect(steps(page)).toContainText("The container does not run");
  await expect(steps(page)).not.toContainText("Restart the container");
});
