import { signIn } from "../../support/people.ts";
import { expect, test } from "@playwright/test";
import { facts } from "../../support/stack.ts";

test("without JavaScript: sign in, read the verdict, restart and read how it ended", async ({ page }) => {
  await signIn(page);
  await page.goto(`${facts().url}/gateways/openclaw`);
  await expect(page.locator("#verdict-said")).toContainText("WhatsApp is not linked");
  for (const fact of ["edge", "process", "container", "session", "config"]) {
    await expect(page.locator(`#fact-${fact}`)).toBeVisible();
  }
  await page.getByRole("link", { name: "Restart", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Restart the gateway?" })).toBeVisible();
  await page.getByLabel(/^Why/).fill("without JavaScript");
  await page.getByRole("button", { name: "Restart", exact: true }).click();
  await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}/);
  // The page loads itself anew while the operation runs.
  await expect(page.locator("#verdict-said")).toHaveText("Restart is done", { timeout: 150_000 });
  await expect(page.getByText("without JavaScript")).toBeVisible();
});

test("without JavaScript: the log can be searched", async ({ page }) => {
  await signIn(page);
  await page.goto(`${facts().url}/gateways/openclaw/logs?lines=200&search=gateway`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  await expect(page.locator("main")).toContainText(/gateway/i);
});
