/** Backups: the key, a backup of the real gateway, and opening it with what was shown once. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAccessible, picture } from "../../support/looks.ts";
import { anOperation, expect, gatewayPage, test, viewerContext } from "../../support/people.ts";
import { docker, facts, panel, sql } from "../../support/stack.ts";

// The key is made once.
test.describe.configure({ mode: "serial" });

const backups = () => `${gatewayPage()}/backups`;
let key = "";
let folder = "";

test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "panel-backup-"));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("without a key the page asks for one, and a backup says who makes it", async ({ page, browser }, info) => {
  await page.goto(backups());
  await expect(page.getByText("Nothing is kept yet")).toBeVisible();
  await expect(page.getByRole("link", { name: "Back up now" })).toHaveCount(0);
  await isAccessible(page);
  await picture(page, info, "backups-first");
  const context = await viewerContext(browser, {});
  const other = await context.newPage();
  await other.goto(backups());
  await expect(other.getByText("An admin makes it.")).toBeVisible();
  await expect(other.getByRole("button", { name: "Make the key" })).toHaveCount(0);
  await context.close();
  expect(() => panel("operation", "start", "backup")).toThrow();
  const last = JSON.parse(panel("operation", "list", "--limit", "1", "--json"));
  expect(JSON.stringify(last.outcome)).toContain("There is no key for backups yet");
});

test("the key is shown once", async ({ page }, info) => {
  await page.goto(backups());
  await page.getByRole("button", { name: "Make the key" }).click();
  const shown = page.getByText(/^AGE-SECRET-KEY-1/);
  key = (await shown.textContent()) ?? "";
  expect(key).toMatch(/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/);
  // Apart from the list below it.
  const [said, list] = await Promise.all([page.locator("[role=status].card").boundingBox(), page.locator(".card.empty").boundingBox()]);
  expect((list?.y ?? 0) - (said?.y ?? 0) - (said?.height ?? 0)).toBeGreaterThanOrEqual(8);
  await isAccessible(page);
  await page.reload();
  await expect(page.getByText(/age1[0-9a-z]{58}/)).toBeVisible();
  await expect(shown).toHaveCount(0);
  await picture(page, info, "backups-key");
  // The register has noted it.
  await page.goto(`${facts().url}/credentials`);
  await page.getByRole("link", { name: "Key that opens backups" }).click();
  await expect(page.getByText("Rotated by anna")).toBeVisible();
  await expect(page.getByText(/fingerprint [0-9a-f]{12}/)).toBeVisible();
});

test("the running gateway is backed up, and the key opens what was kept", async ({ page, browser }, info) => {
  await page.goto(backups());
  await page.getByRole("link", { name: "Back up now" }).click();
  await expect(page.getByRole("heading", { name: "Back up the gateway?" })).toBeVisible();
  await page.getByRole("button", { name: "Back up", exact: true }).click();
  await page.waitForURL(anOperation);
  await expect(page.locator("#verdict-said")).toHaveText("Back up is done", { timeout: 120_000 });
  await expect(page.locator("#steps")).toContainText("Written and verified by the gateway");
  await picture(page, info, "backup-done");
  expect(docker("exec", facts().container, "ls", "/tmp")).not.toContain("panel-backup");

  await page.goto(backups());
  await isAccessible(page);
  await picture(page, info, "backups");
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name: /^Download / }).click();
  const download = await coming;
  const name = download.suggestedFilename();
  expect(name).toMatch(/^openclaw-\d{8}T\d{6}Z-[0-9a-f]{8}\.tar\.gz\.age$/);
  const kept = join(facts().folder, "data/backups/openclaw", name);
  expect(readFileSync(await download.path())).toEqual(readFileSync(kept));
  expect(statSync(kept).mode & 0o777).toBe(0o600);

  const [identity, output] = [join(folder, "key"), join(folder, "state.tar.gz")];
  writeFileSync(identity, `${key}\n`, { mode: 0o600 });
  panel("backup", "open", name, "--identity-file", identity, "--output", output);
  const files = execFileSync("tar", ["-tzf", output], { encoding: "utf8" });
  expect(files).toContain("openclaw.json");
  // The gateway itself says that it is whole.
  docker("cp", output, `${facts().container}:/tmp/state.tar.gz`);
  docker("exec", "--user", "root", facts().container, "chmod", "644", "/tmp/state.tar.gz");
  const verified = docker("exec", facts().container, "node", "dist/index.js", "backup", "verify", "/tmp/state.tar.gz", "--json");
  expect(JSON.parse(verified)).toMatchObject({ ok: true });
  docker("exec", "--user", "root", facts().container, "rm", "/tmp/state.tar.gz");

  const context = await viewerContext(browser, {});
  const other = await context.newPage();
  const answer = await other.goto(`${backups()}/${name}/download`);
  expect(answer?.status()).toBe(403);
  const elsewhere = await page.goto(`${backups()}/..%2F..%2Fpostgres%2Fpassword/download`);
  expect(elsewhere?.status()).toBe(404);
  await context.close();
});

test("a lost key is replaced from the command line, never by accident", async ({ page }) => {
  const another = join(folder, "another");
  expect(() => panel("backup", "key", "--identity-file", another)).toThrow(/There is a key already/);
  expect(existsSync(another)).toBe(false);
  await page.goto(backups());
  const before = await page.getByText(/^age1[0-9a-z]{58}$/).textContent();
  const noted = () => Number(sql("SELECT count(*) FROM rotations JOIN credentials ON credentials.id = credential_id WHERE kind = 'backup-key'"));
  const rotations = noted();
  panel("backup", "key", "--replace", "--identity-file", another);
  expect(noted()).toBe(rotations + 1);
  expect(readFileSync(another, "utf8")).toMatch(/^AGE-SECRET-KEY-1[0-9A-Z]{58}\n$/);
  await page.reload();
  await expect(page.getByText(/^age1[0-9a-z]{58}$/)).not.toHaveText(before ?? "");
});

test("no byte of the key is left in log, database or journal", () => {
  const log = readFileSync(join(facts().folder, "panel.log"), "utf8");
  expect(log).not.toContain(key);
  for (const table of ["operation_events", "audit_events", "operations"]) {
    expect(sql(`SELECT count(*) FROM ${table} AS found WHERE found::text LIKE '%AGE-SECRET-KEY%'`), table).toBe("0");
  }
});
