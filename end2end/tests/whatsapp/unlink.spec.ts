/** Taking a link out of the gateway, and bringing it back; and what the accounts page says of it all. */
import type { Page } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { anOperation, confirmIdentity, expect, gatewayPage, test, unlinked, verdict } from "../../support/people.ts";
import { docker, facts, panel, sql, until } from "../../support/stack.ts";
import { look, phone, server, withBackupKey } from "../../support/whatsapp.ts";

// One after the other: each goes on from the link that the last one left.
test.describe.configure({ mode: "serial" });

const key = withBackupKey("unlink");
test.beforeAll(key.begin);
test.afterAll(key.end);

const said = (page: Page) => page.locator("#verdict-said");

test("an account is unlinked from its page, and the gateway forgets it", async ({ page }, info) => {
  await unlinked(page);
  await page.goto(`${gatewayPage()}/operations/new/relink?account=default`);
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await phone.scan(await look(page));
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 60_000 });
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 30_000 });
  await page.goto(`${gatewayPage()}/accounts`);
  await page.getByRole("link", { name: "Unlink", exact: true }).click();
  await confirmIdentity(page);
  await expect(page.getByText("WhatsApp is not told")).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "unlink-question");
  await page.getByRole("button", { name: "Unlink", exact: true }).click();
  await page.waitForURL(anOperation);
  await expect(said(page)).toHaveText("Unlink account default is done", { timeout: 90_000 });
  expect(docker("exec", facts().container, "ls", "-A", "/home/node/.openclaw")).not.toContain("panel-link");
  await unlinked(page);
});

test("a restore brings it back, since the phone still lists the device", async ({ page }) => {
  const name = JSON.parse(panel("backup", "list", "--json").split("\n")[0] ?? "").name;
  panel("operation", "start", "restore", "--backup", name, "--identity-file", key.file(), "--wait");
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 30_000 });
});

test("the accounts page tells each change, why, and through whom", async ({ page }, info) => {
  // What comes later than two seconds after an operation is not its doing.
  await until("the restore is over", () => (sql("SELECT max(ended_at) + interval '3 seconds' < clock_timestamp() FROM operations") === "t" ? true : undefined));
  await server.drop(4_000);
  await page.goto(gatewayPage());
  await expect(verdict(page)).not.toContainText("Working", { timeout: 30_000 });
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 60_000 });
  await page.goto(`${gatewayPage()}/accounts`);
  const changes = page.locator("main");
  await expect(changes).toContainText(/Connected.*since/);
  await expect(changes).toContainText(/Not connected: .*\(\d{3}\)/);
  await expect(changes.getByRole("listitem").filter({ hasText: /^.?Not connected/ }).first()).not.toContainText("by");
  await expect(changes).toContainText("Restore account default by");
  await expect(changes).toContainText("Unlink account default by anna");
  await isAccessible(page);
  await picture(page, info, "accounts-story");
});
