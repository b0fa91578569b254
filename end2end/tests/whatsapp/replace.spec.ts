/** Replacing a link that may still work: with consent, backed up first, and put back whenever nothing comes of it. */
import type { Page } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { confirmIdentity, expect, gatewayPage, test, unlinked, verdict } from "../../support/people.ts";
import { docker, facts, panel } from "../../support/stack.ts";
import { look, phone, server, withBackupKey } from "../../support/whatsapp.ts";

// One after the other: each goes on from the link that the last one left.
test.describe.configure({ mode: "serial" });

const key = withBackupKey("replace");
test.beforeAll(key.begin);
test.afterAll(key.end);

const said = (page: Page) => page.locator("#verdict-said");
const works = async (page: Page) => {
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 60_000 });
};
const backups = () => panel("backup", "list", "--json").split("\n").filter(Boolean).length;

/** WhatsApp goes away, and the account with it; ends with the code on the page. */
async function replace(page: Page): Promise<string> {
  await server.drop(300_000);
  await page.goto(gatewayPage());
  await expect(page.locator("#ladder")).toContainText("Replace the link", { timeout: 60_000 });
  await page.getByRole("link", { name: "Replace the link" }).click();
  await confirmIdentity(page);
  await page.getByRole("button", { name: "Replace the link" }).click();
  await page.waitForURL(/\/operations\/[0-9a-f-]{36}/);
  await expect(page.locator("#steps")).toContainText("kept aside and comes back by itself", { timeout: 90_000 });
  // From here on it is the old link that must not connect.
  await server.drop(0);
  return look(page);
}

test("a working link is replaced only after the question, and stopping brings it back without a scan", async ({ page }, info) => {
  await unlinked(page);
  await page.goto(`${gatewayPage()}/operations/new/relink?account=default`);
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await phone.scan(await look(page));
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 60_000 });
  const before = backups();
  await server.drop(300_000);
  await page.goto(gatewayPage());
  await expect(page.locator("#ladder")).toContainText("Replace the link", { timeout: 60_000 });
  await page.goto(`${gatewayPage()}/operations/new/replace-link?account=default`);
  await confirmIdentity(page);
  await expect(page.getByText("This is the last thing to try")).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "replace-question");
  await server.drop(0);

  await works(page);
  await replace(page);
  await picture(page, info, "replace-code");
  await page.getByRole("button", { name: "Stop and put back" }).click();
  await expect(said(page)).toHaveText("Replace the link of account default was stopped and put back", { timeout: 60_000 });
  await works(page);
  expect(backups()).toBe(before + 1);
  expect(docker("exec", facts().container, "ls", "-A", "/home/node/.openclaw")).not.toContain("panel-link");
});

test("another number is scanned: the page asks, and putting back brings the old one", async ({ page }, info) => {
  await phone.scan(await replace(page), { number: "15550100009" });
  await expect(page.locator("#steps")).toContainText("it ends in 0009, and the one before ended in 0001", { timeout: 60_000 });
  await isAccessible(page);
  await picture(page, info, "replace-number");
  await page.getByRole("button", { name: "Stop and put back" }).click();
  await expect(said(page)).toHaveText("Replace the link of account default was stopped and put back", { timeout: 60_000 });
  await works(page);
  await expect(page.locator("#accounts")).toContainText("0001");
});

test("another number is scanned and kept", async ({ page }, info) => {
  await phone.scan(await replace(page), { number: "15550100009" });
  await page.getByRole("button", { name: "Keep the new number" }).click({ timeout: 60_000 });
  await expect(said(page)).toHaveText("Replace the link of account default is done", { timeout: 60_000 });
  await expect(page.locator("#verdict")).toContainText("Another number than before is linked now");
  await picture(page, info, "replace-kept");
  await works(page);
  await expect(page.locator("#accounts")).toContainText("0009");
});
