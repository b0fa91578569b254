/** Emptying the gateway's whole state: taken back, then gone through with, and what is there afterwards. */
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import type { Page } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { anOperation, confirmIdentity, expect, gatewayPage, test, unlinked, verdict } from "../../support/people.ts";
import { docker, facts, panel, sql } from "../../support/stack.ts";
import { look, phone, withBackupKey } from "../../support/whatsapp.ts";

// One after the other: each goes on from the state that the last one left.
test.describe.configure({ mode: "serial" });

const key = withBackupKey("wipe");
test.beforeAll(key.begin);
test.afterAll(key.end);

const said = (page: Page) => page.locator("#verdict-said");
const inState = (...command: string[]) => docker("exec", "--workdir", "/home/node/.openclaw", facts().container, ...command);
const pairedDevices = () => inState("node", "-e", `
  const { DatabaseSync } = require("node:sqlite");
  const database = new DatabaseSync("state/openclaw.sqlite", { readOnly: true });
  console.log(database.prepare("select count(*) count from device_pairing_paired").get().count);`);

const backups = (): { name: string }[] => panel("backup", "list", "--json").split("\n").filter(Boolean).map((line) => JSON.parse(line));
/** The files in the newest backup, opened with the key's other half. */
function newestBackup(): string[] {
  const archive = join(dirname(key.file()), "opened.tar.gz");
  panel("backup", "open", backups()[0]?.name ?? "", "--identity-file", key.file(), "--output", archive);
  return execFileSync("tar", ["-tzf", archive], { encoding: "utf8", maxBuffer: 2 ** 28 }).split("\n");
}

async function ask(page: Page): Promise<void> {
  await page.goto(`${gatewayPage()}/accounts`);
  await page.getByRole("link", { name: "Wipe …" }).click();
  await page.waitForURL(/confirm|wipe/);
  if (page.url().includes("/account/confirm")) await confirmIdentity(page);
  await expect(page.getByText("What is lost.")).toBeVisible();
}

test("what is lost is told, and the gateway's name is asked for", async ({ page }, info) => {
  test.setTimeout(240_000);
  await unlinked(page);
  await page.goto(`${gatewayPage()}/operations/new/relink?account=default`);
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await phone.scan(await look(page));
  await expect(said(page)).toHaveText("Link account default is done", { timeout: 60_000 });
  inState("touch", "media/left-by-the-gateway");
  await ask(page);
  await expect(page.locator("#lost")).toContainText("1 link to WhatsApp: default");
  await expect(page.locator("#lost")).toContainText("1 paired device; this panel pairs itself again");
  await expect(page.locator("main")).toContainText("1 plugin: @openclaw/whatsapp");
  await expect(page.locator("main")).toContainText(`In volume ${facts().project}_`);
  await isAccessible(page);
  await picture(page, info, "wipe-question");
  await page.getByLabel("Type the gateway's name").fill("openclaw?");
  await page.getByRole("button", { name: "Wipe" }).click();
  await expect(page.locator("#typed-error")).toContainText("That is not the gateway's name.");
  await isAccessible(page);
  await picture(page, info, "wipe-wrong-name");
});

test("stopped while the code is shown, everything is back without a scan", async ({ page }, info) => {
  test.setTimeout(360_000);
  const before = backups().length;
  await ask(page);
  await page.getByLabel("Type the gateway's name").fill(await page.locator("label[for=typed] b").innerText());
  await page.getByRole("button", { name: "Wipe" }).click();
  await page.waitForURL(anOperation);
  await page.locator(".scan .code svg").waitFor({ timeout: 180_000 });
  expect(backups()).toHaveLength(before + 1);
  expect(inState("ls", "-A", ".", "media")).not.toContain("left-by-the-gateway");
  await expect(page.getByRole("button", { name: "Link it later" })).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "wipe-code");
  await page.getByRole("button", { name: "Stop and put back" }).click();
  await expect(said(page)).toContainText("was stopped", { timeout: 180_000 });
  await picture(page, info, "wipe-stopped");
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 60_000 });
  expect(inState("ls", "-A", ".", "media")).toContain("left-by-the-gateway");
  expect(inState("ls", "-A")).not.toContain("panel-aside");
});

test("gone through with on a gateway that can write no backup any more: its folder is kept as it lies; configuration and plugin are there, the panel is paired, and a scan links", async ({ page }, info) => {
  test.setTimeout(360_000);
  const before = backups().length;
  docker("stop", facts().container);
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("the gateway is stopped", { timeout: 30_000 });
  await ask(page);
  await page.getByLabel("Type the gateway's name").fill(await page.locator("label[for=typed] b").innerText());
  await page.getByRole("button", { name: "Wipe" }).click();
  await page.waitForURL(anOperation);
  await page.locator(".scan .code svg").waitFor({ timeout: 180_000 });
  await phone.scan(await look(page));
  await expect(said(page)).toHaveText("Wipe the gateway's state is done", { timeout: 60_000 });
  await picture(page, info, "wipe-done");
  expect(inState("ls", "-A")).not.toContain("panel-aside");
  expect(inState("ls", "-A", ".", "media")).not.toContain("left-by-the-gateway");
  expect(pairedDevices()).toBe("1");
  expect(docker("ps", "-a", "--format", "{{.Names}}")).not.toContain("panel-helper");
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 60_000 });
  // The backup that was made first is there, and its making is in the audit trail with the wipe.
  expect(backups()).toHaveLength(before + 1);
  const kept = newestBackup();
  for (const file of ["media/left-by-the-gateway", "openclaw.json", "credentials/whatsapp/default/creds.json", "state/openclaw.sqlite"]) {
    expect(kept.filter((path) => path.endsWith(`.openclaw/${file}`)), file).toHaveLength(1);
  }
  // The gateway's own backups have no plugins.
  expect(kept.some((path) => path.includes(".openclaw/npm/projects/"))).toBe(true);
  expect(sql("SELECT count(*) FROM audit_events WHERE action = 'wipe' AND outcome = 'succeeded'")).toBe("1");
});
