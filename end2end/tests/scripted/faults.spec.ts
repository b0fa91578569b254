/** Faults that need a gateway that starts in a moment, or one that lies: a stack of its own with a scripted gateway. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { carryOut, expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { docker, facts, killPanel, panel, play, root, sql, start, startPanel, stop, until } from "../../support/stack.ts";

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

const names = () => docker("ps", "-a", "--format", "{{.Names}}").split("\n").filter((name) => name.startsWith(facts().container));

/** Holds the panel at one journal entry, from before it is written until the panel is gone. */
async function killAt(event: "started" | "succeeded", step: string): Promise<void> {
  await until(`the panel is about to write that ${step} has ${event}`, () =>
    sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") === "1" ? true : undefined,
  );
  await killPanel();
  sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
}

function holdAt(event: string, step: string): void {
  sql(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NEW; END'`);
  sql(`CREATE TRIGGER hold BEFORE INSERT ON operation_events FOR EACH ROW
       WHEN (NEW.event->>'event' = '${event}' AND NEW.event->>'step' = '${step}') EXECUTE FUNCTION hold()`);
}

const letGo = () => sql("DROP FUNCTION hold CASCADE");

const recreate = ["look", "drain", "stop_old", "set_aside", "create_new", "start_new", "await_live", "await_ready", "check_accounts", "remove_old"];
for (const step of recreate) {
  for (const event of ["started", "succeeded"] as const) {
    const when = event === "started" ? `before ${step} begins` : `after ${step} was done and before the journal knows`;
    test(`recreate, the panel killed with -9 ${when}: the next one ends it`, async ({ page }) => {
      const before = docker("inspect", "--format", "{{.Id}}", facts().container);
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
      expect(names()).toEqual([facts().container]);
      expect(running()).toBe(true);
      expect(docker("inspect", "--format", "{{.Id}}", facts().container)).not.toBe(before);
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
      expect(names()).toEqual([facts().container]);
      expect(running()).toBe(true);
    } finally {
      writeFileSync(file(), fixed);
    }
    // The same once more, back to the fixed name.
    docker("kill", "--signal", "KILL", facts().container);
    await recreated(page);
    await expect(page.locator("#steps")).toContainText("its owner lease on the state folder is still active");
  });
});

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
