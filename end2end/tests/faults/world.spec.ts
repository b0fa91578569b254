import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { carryOut, expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { docker, facts, killPanel, startPanel, until } from "../../support/stack.ts";

const running = () => docker("inspect", "--format", "{{.State.Running}}", facts().container) === "true";
const names = () => docker("ps", "-a", "--format", "{{.Names}}").split("\n").filter((name) => name.startsWith(facts().container));
const settled = /WhatsApp is not linked/;

test("a killed gateway is on the open page at once, and Docker's restart is seen", async ({ page }) => {
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText(settled);
  docker("kill", "--signal", "KILL", facts().container);
  await expect(page.locator("#fact-container")).toContainText(/Exited with 137|Being started again|Running under a minute/);
  // A container killed through Docker stays down: Docker takes it for a wish.
  await expect(verdict(page)).toContainText("the gateway is stopped");
  await carryOut(page, "Start");
  await expect(page.locator("#verdict-said")).toHaveText("Start is done", { timeout: 170_000 });
});

test("a frozen gateway is named, and Restart wakes it", async ({ page }) => {
  docker("pause", facts().container);
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("the container is frozen");
  await carryOut(page, "Restart");
  await expect(page.locator("#verdict-said")).toHaveText("Restart is done", { timeout: 170_000 });
  expect(running()).toBe(true);
});

test("the panel killed in the middle of a recreate goes on with it after its start", async ({ page }) => {
  await carryOut(page, "Recreate");
  await expect(page.locator("#steps")).toContainText(/Stop/);
  await until("the old container is set aside", () => (names().some((name) => name !== facts().container) ? true : undefined));
  const url = page.url();
  await killPanel();
  await startPanel();
  await page.goto(url);
  await expect(page.locator("#verdict-said")).toHaveText(/Recreate is done|Recreate failed, and everything was put back/, { timeout: 170_000 });
  expect(names()).toEqual([facts().container]);
  expect(running()).toBe(true);
});

test("Postgres killed during a restart: nothing is lost and the page comes back", async ({ page }) => {
  await carryOut(page, "Restart");
  const pid = readFileSync(join(facts().folder, "data/postgres/data/postmaster.pid"), "utf8").split("\n")[0] ?? "";
  execFileSync("kill", ["-9", pid]);
  await expect(page.locator("#verdict-said")).toHaveText("Restart is done", { timeout: 170_000 });
  expect(running()).toBe(true);
});

test("a gateway killed with -9, then recreated: the fixed host name spares it the owner lease", async ({ page }) => {
  docker("kill", "--signal", "KILL", facts().container);
  await carryOut(page, "Recreate");
  await expect(page.locator("#verdict-said")).toHaveText("Recreate is done", { timeout: 170_000 });
  await expect(page.locator("#steps")).not.toContainText("owner lease");
  expect(names()).toEqual([facts().container]);
});
