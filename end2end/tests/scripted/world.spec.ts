/** What stands around the gateway goes away and comes back. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { carryOut, expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { scriptedStack } from "../../support/scripted.ts";
import { docker, facts, gatewayRuns, panel } from "../../support/stack.ts";

scriptedStack();

const last = () => JSON.parse(panel("operation", "list", "--limit", "1", "--json"));
const postmaster = () => readFileSync(join(facts().folder, "data/postgres/data/postmaster.pid"), "utf8").split("\n")[0] ?? "";

test("a frozen gateway is named, and Restart wakes it", async ({ page }) => {
  docker("pause", facts().container);
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("the container is frozen");
  await carryOut(page, "Restart");
  await expect(page.locator("#verdict-said")).toHaveText("Restart is done", { timeout: 90_000 });
  expect(gatewayRuns()).toBe(true);
});

test("Postgres killed during a restart: nothing is lost and the page comes back", async ({ page }) => {
  await carryOut(page, "Restart");
  execFileSync("kill", ["-9", postmaster()]);
  await expect(page.locator("#verdict-said")).toHaveText("Restart is done", { timeout: 90_000 });
  expect(gatewayRuns()).toBe(true);
  expect(last().outcome.outcome).toBe("succeeded");
});

test("Postgres away for 20 seconds in the middle of a restart: nothing is lost", async ({ page }) => {
  await carryOut(page, "Restart");
  const pid = postmaster();
  const group = [pid, ...execFileSync("pgrep", ["-P", pid], { encoding: "utf8" }).trim().split("\n")];
  execFileSync("kill", ["-STOP", ...group]);
  try {
    // The fault itself lasts this long; nothing is awaited.
    await page.waitForTimeout(20_000);
  } finally {
    execFileSync("kill", ["-CONT", ...group]);
  }
  await expect(page.locator("#verdict-said")).toHaveText("Restart is done", { timeout: 120_000 });
  expect(gatewayRuns()).toBe(true);
  expect(last().reason).toBe("end-to-end test");
});
