/** Recreate, and what must not be lost when something breaks in the middle of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { holdAt, killAt, letGo } from "../../support/journal.ts";
import { anOperation, carryOut, colleague, contextOf, expect, gatewayPage, test } from "../../support/people.ts";
import { scriptedStack } from "../../support/scripted.ts";
import { brokenImage, containerNames, docker, envFile, facts, gatewayRuns, startPanel } from "../../support/stack.ts";

scriptedStack();

const id = () => docker("inspect", "--format", "{{.Id}}", facts().container);

const recreate = ["look", "drain", "stop_old", "set_aside", "create_new", "start_new", "await_live", "await_ready", "check_accounts", "remove_old"];
for (const step of recreate) {
  for (const event of ["started", "succeeded"] as const) {
    const when = event === "started" ? `before ${step} begins` : `after ${step} was done and before the journal knows`;
    test(`recreate, the panel killed with -9 ${when}: the next one ends it`, async ({ page }) => {
      const before = id();
      holdAt(event, step);
      try {
        await carryOut(page, "Recreate");
        await killAt(event, step);
      } finally {
        letGo();
      }
      const url = page.url();
      await startPanel();
      await page.goto(url);
      await expect(page.locator("#verdict-said")).toHaveText("Recreate is done", { timeout: 60_000 });
      await expect(page.locator("#steps li")).toHaveCount(recreate.length);
      expect(containerNames()).toEqual([facts().container]);
      expect(gatewayRuns()).toBe(true);
      expect(id()).not.toBe(before);
    });
  }
}

test.describe("a gateway killed with -9, then recreated", () => {
  const file = () => join(facts().folder, "openclaw/docker-compose.yml");
  const recreated = async (page: Page) => {
    await carryOut(page, "Recreate");
    await expect(page.locator("#verdict-said")).toHaveText("Recreate is done", { timeout: 90_000 });
  };

  test("with a fixed host name: nothing is waited for", async ({ page }) => {
    docker("kill", "--signal", "KILL", facts().container);
    await recreated(page);
    await expect(page.locator("#steps")).not.toContainText("owner lease");
  });

  test("without one: the owner lease is named, waited for, and it starts when the lease ends", async ({ page }) => {
    const fixed = readFileSync(file(), "utf8");
    writeFileSync(file(), fixed.replace(/^ +hostname: .*\n/m, ""));
    try {
      await recreated(page);
      docker("kill", "--signal", "KILL", facts().container);
      await recreated(page);
      await expect(page.locator("#steps")).toContainText("the new container has another host name");
      await expect(page.locator("#steps")).toContainText("its owner lease on the state folder is still active");
      expect(containerNames()).toEqual([facts().container]);
      expect(gatewayRuns()).toBe(true);
    } finally {
      writeFileSync(file(), fixed);
    }
    // The same once more, back to the fixed name.
    docker("kill", "--signal", "KILL", facts().container);
    await recreated(page);
    await expect(page.locator("#steps")).toContainText("its owner lease on the state folder is still active");
  });
});

test("an image whose gateway ends at once: the old container is back, and the page says why", async ({ page }) => {
  const before = id();
  const env = readFileSync(envFile(), "utf8");
  brokenImage();
  try {
    writeFileSync(envFile(), env.replace(/^OPENCLAW_IMAGE=.*$/m, "OPENCLAW_IMAGE=openclaw:broken"));
    await carryOut(page, "Recreate");
    await expect(page.locator("#verdict-said")).toHaveText("Recreate failed, and everything was put back", { timeout: 90_000 });
    // With its exit code or without: Docker may have started it again by the time it is looked at.
    await expect(page.locator("#verdict .why")).toContainText("The container crashed");
  } finally {
    writeFileSync(envFile(), env);
  }
  expect(id()).toBe(before);
  expect(containerNames()).toEqual([facts().container]);
  expect(gatewayRuns()).toBe(true);
});

test("an image whose gateway runs and never gets healthy: the old container is back, and the page says why", async ({ page }) => {
  const before = id();
  const file = join(facts().folder, "openclaw/docker-compose.yml");
  const good = readFileSync(file, "utf8");
  try {
    writeFileSync(
      file,
      good
        .replace(/^( +)environment:$/m, "$&\n$1  SCRIPTED_MODE: mute")
        .replace(/^( +)interval: 30s\n.*\n.*\n +retries: 3$/m, "$1interval: 1s\n$1timeout: 1s\n$1start_period: 0s\n$1retries: 3"),
    );
    await carryOut(page, "Recreate");
    await expect(page.locator("#verdict-said")).toHaveText("Recreate failed, and everything was put back", { timeout: 90_000 });
    await expect(page.locator("#verdict .why")).toContainText("Docker's health check calls the container unhealthy");
  } finally {
    writeFileSync(file, good);
  }
  expect(id()).toBe(before);
  expect(containerNames()).toEqual([facts().container]);
  expect(gatewayRuns()).toBe(true);
});

test("two people press Recreate at once: one runs, the other is told whose it is", async ({ browser, contextOptions }) => {
  const contexts = await Promise.all([contextOf(browser, contextOptions), colleague(browser, contextOptions, "otto", "operator")]);
  const names = ["anna", "otto"];
  const pages = await Promise.all(contexts.map((context) => context.newPage()));
  await Promise.all(pages.map((page) => page.goto(`${gatewayPage()}/operations/new/recreate`)));
  const went = await Promise.all(
    pages.map(async (page) => {
      const answered = page.waitForResponse((answer) => answer.request().method() === "POST");
      await page.getByRole("button", { name: "Recreate", exact: true }).click();
      return (await answered).headers().location ?? "";
    }),
  );
  const won = went.findIndex((address) => anOperation.test(address));
  const [winner, other] = [pages[won], pages[1 - won]];
  if (!winner || !other) throw new Error(`nobody's recreate was begun: ${went.join(", ")}`);
  await expect(other.getByRole("alert")).toContainText(`Recreate by ${names[won]}`);
  await expect(winner.locator("#verdict-said")).toHaveText("Recreate is done", { timeout: 90_000 });
  expect(containerNames()).toEqual([facts().container]);
  await Promise.all(contexts.map((context) => context.close()));
});
