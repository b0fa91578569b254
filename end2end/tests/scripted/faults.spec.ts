/** Faults that need a gateway that starts in a moment, or one that lies: a stack of its own with a scripted gateway. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { carryOut, expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { docker, facts, panel, play, root, start, stop } from "../../support/stack.ts";

const outer = process.env.END2END_FOLDER ?? "";

// One stack for all, made by the first.

test.beforeAll(async () => {
  const folder = join(outer, "scripted");
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  process.env.END2END_FOLDER = folder;
  await start("scripted");
});

test.afterAll(async () => {
  await stop();
  process.env.END2END_FOLDER = outer;
});

const running = () => docker("inspect", "--format", "{{.State.Running}}", facts().container) === "true";
const last = () => JSON.parse(panel("operation", "list", "--limit", "1", "--json"));
const setup = (script: string, ...args: string[]) => execFileSync(join(root, ".setup", script), args, { encoding: "utf8" });

/** What the page says of each kind of nonsense; it never takes it for a working gateway. */
for (const [mode, process] of [
  ["garbage", "Wrong answer"],
  ["half", "No answer"],
  ["flood", "Wrong answer"],
  ["mute", "No answer"],
] as const) {
  test(`a gateway that answers with ${mode}: the page says which part is blind, and the panel goes on`, async ({ page }) => {
    await page.goto(gatewayPage());
    await expect(verdict(page)).toContainText("Working: Messages get through");
    play(mode);
    await expect(verdict(page)).toContainText(/Degraded:|Down:/, { timeout: 60_000 });
    await expect(page.locator("#fact-process")).toContainText(process, { timeout: 30_000 });
    await expect(page.locator("#fact-container")).toContainText("Running");
    await page.reload();
    await expect(verdict(page)).not.toContainText("Working:");
    play("good");
    await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 90_000 });
  });
}

test("Postgres away for 20 seconds in the middle of a restart: nothing is lost", async ({ page }) => {
  await carryOut(page, "Restart");
  const pid = readFileSync(join(facts().folder, "data/postgres/data/postmaster.pid"), "utf8").split("\n")[0] ?? "";
  const group = [pid, ...execFileSync("pgrep", ["-P", pid], { encoding: "utf8" }).trim().split("\n")];
  execFileSync("kill", ["-STOP", ...group]);
  try {
    // The fault itself lasts this long; nothing is awaited.
    await page.waitForTimeout(20_000);
  } finally {
    execFileSync("kill", ["-CONT", ...group]);
  }
  await expect(page.locator("#verdict-said")).toHaveText("Restart is done", { timeout: 120_000 });
  expect(running()).toBe(true);
  expect(last().reason).toBe("end-to-end test");
});

test("Docker's daemon stopped and started: the page says that it is blind there, then sees again", async ({ page }) => {
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through");
  setup("test-docker.sh", "stop");
  try {
    await expect(page.locator("#fact-container")).toContainText(/Docker/, { timeout: 60_000 });
    await expect(page.locator("#fact-container")).toContainText("Cannot be seen");
  } finally {
    setup("test-docker.sh", "start");
  }
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 120_000 });
  expect(running()).toBe(true);
});
