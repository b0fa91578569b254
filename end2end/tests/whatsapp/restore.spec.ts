/** A link that was lost comes back from a backup, without a scan: the real gateway and WhatsApp's stand-in. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { confirmIdentity, expect, gatewayPage, test, unlinked, verdict, viewerContext } from "../../support/people.ts";
import { docker, facts, panel, sql } from "../../support/stack.ts";
import { look, phone, removedOnPhone, withBackupKey } from "../../support/whatsapp.ts";

// One after the other: each goes on from the link that the last one left.
test.describe.configure({ mode: "serial" });

const backupKey = withBackupKey("restore");
const identity = backupKey.file;
let key = "";
test.beforeAll(async () => {
  await backupKey.begin();
  key = readFileSync(identity(), "utf8").trim();
});
test.afterAll(backupKey.end);

const said = (page: Page) => page.locator("#verdict-said");
const links = "/home/node/.openclaw/credentials/whatsapp";

/** Removes the link while the gateway is stopped: a running one writes its files anew meanwhile. */
function loseTheLink(): void {
  const { container } = facts();
  docker("stop", container);
  const image = docker("inspect", "--format", "{{.Image}}", container).trim();
  docker("run", "--rm", "--network", "none", "--volumes-from", container, "--entrypoint", "rm", image, "-rf", `${links}/default`);
  docker("start", container);
}

const state = () => docker("exec", facts().container, "ls", "-A", "/home/node/.openclaw");

async function openRestore(page: Page): Promise<void> {
  await page.goto(`${gatewayPage()}/backups`);
  await page.getByRole("link", { name: /^Restore a link from/ }).first().click();
  await confirmIdentity(page);
  await expect(page.getByRole("heading", { name: /^Bring a link back from/ })).toBeVisible();
}

test("linked by a scan, and backed up", async ({ page }) => {
  await unlinked(page);
  await page.goto(`${gatewayPage()}/operations/new/relink?account=default`);
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await phone.scan(await look(page));
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 60_000 });
  panel("operation", "start", "backup", "--wait");
});

test("the link is lost: it is back in under a minute, without a scan", async ({ page }, info) => {
  loseTheLink();
  await unlinked(page, 170_000);

  await openRestore(page);
  await isAccessible(page);
  await picture(page, info, "restore-question");
  await page.getByLabel("The key that opens backups").fill(key.replace(/.$/, key.endsWith("Q") ? "P" : "Q"));
  await page.getByLabel(/^Why/).fill("the link was lost");
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await expect(page.locator("#identity-error")).toBeVisible();
  await expect(page.getByLabel(/^Why/)).toHaveValue("the link was lost");
  expect(page.url()).not.toContain("AGE-SECRET");
  await isAccessible(page);
  await picture(page, info, "restore-wrong-key");

  await page.getByLabel("The key that opens backups").fill(key);
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await expect(said(page)).toHaveText("Restore account default is done", { timeout: 60_000 });
  await expect(page.locator("#steps")).toContainText("The backup holds the link of the number that ends in 0001");
  await picture(page, info, "restore-done");
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 30_000 });
  expect(state()).not.toContain("panel-link");
});

test("a link that works is replaced with consent only", async ({ page }) => {
  await openRestore(page);
  await page.getByLabel("The key that opens backups").fill(key);
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await expect(page.getByText("Reconnect it first; tick this box")).toBeVisible();
});

test("WhatsApp refuses the restored link: it is said, and what was there before is back", async ({ page }, info) => {
  await removedOnPhone(page);
  const before = docker("exec", facts().container, "find", `${links}/default`, "-type", "f");
  await openRestore(page);
  await page.getByLabel("The key that opens backups").fill(key);
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await expect(said(page)).toHaveText("Restore account default failed, and everything was put back", { timeout: 90_000 });
  await expect(page.locator("#verdict")).toContainText("WhatsApp no longer accepts the link in this backup");
  await isAccessible(page);
  await picture(page, info, "restore-refused");
  expect(docker("exec", facts().container, "find", `${links}/default`, "-type", "f").split("\n").sort()).toEqual(before.split("\n").sort());
  expect(state()).not.toContain("panel-link");
});

test("from the command line, too; and not for somebody without the right", async ({ browser }) => {
  const name = JSON.parse(panel("backup", "list", "--json").split("\n")[0] ?? "").name;
  let told = "";
  try {
    told = panel("operation", "start", "restore", "--backup", name, "--identity-file", identity(), "--wait");
  } catch (failed) {
    told = (failed as { stdout: string }).stdout;
  }
  expect(told).toContain("Restore account default failed and was put back: WhatsApp no longer accepts the link");
  const context = await viewerContext(browser, {});
  const other = await context.newPage();
  const answer = await other.goto(`${gatewayPage()}/backups/${name}/restore`);
  expect(answer?.status()).toBe(403);
  await context.close();
});

test("no byte of the key or of a link is left in log, database or journal", () => {
  const log = readFileSync(join(facts().folder, "panel.log"), "utf8");
  expect(log).not.toContain(key);
  const creds = JSON.parse(docker("exec", facts().container, "cat", `${links}/default/creds.json`));
  const secret: string = creds.advSecretKey;
  expect(secret.length).toBeGreaterThan(40);
  for (const needle of [key, secret]) {
    let found = "";
    try {
      found = execFileSync("grep", ["-rlaF", "--", needle, join(facts().folder, "data"), join(facts().folder, "panel.log")], { encoding: "utf8" });
    } catch (error) {
      if ((error as { status?: number }).status !== 1) throw error;
    }
    expect(found).toBe("");
  }
  expect(sql("SELECT count(*) FROM audit_events WHERE action = 'restore' AND outcome = 'succeeded'")).toBe("1");
});
