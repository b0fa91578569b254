/** The key is changed, and everything that can go wrong on the way: every crash, every refusal outside, two people at once, and the way back. */
import { execFileSync } from "node:child_process";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { sha256, startGitHub } from "../../support/github.mjs";
import { holdEach, killAtNext, letGo } from "../../support/journal.ts";
import { askForNewKey, inContainer, inRepository, key, tried } from "../../support/keys.ts";
import { isAccessible, picture } from "../../support/looks.ts";
import { anOperation, colleague, confirmIdentity, contextOf, expect, gatewayPage, test } from "../../support/people.ts";
import { scriptedStack } from "../../support/scripted.ts";
import { brokenImage, containerNames, envFile, facts, panel, sql, startPanel, stopPanel } from "../../support/stack.ts";

test.describe.configure({ mode: "serial" });
scriptedStack();

let github: Awaited<ReturnType<typeof startGitHub>>;
test.beforeAll(async () => {
  github = await startGitHub({ port: facts().githubPort });
});
test.afterAll(() => github.close());

const said = (page: Page) => page.locator("#verdict-said");
const over = () => sql("SELECT outcome IS NOT NULL FROM operations ORDER BY created_at DESC LIMIT 1") === "t";
const sealed = () => readdirSync(join(facts().folder, "data/sealed")).filter((name) => name.endsWith(".age"));

async function rotate(page: Page): Promise<string> {
  await askForNewKey(page);
  await page.getByRole("button", { name: "Rotate the key" }).click();
  await page.waitForURL(anOperation);
  return page.url();
}

/** Whoever runs now takes one key and no other; nobody runs while containers are changed. */
async function takesOne(known: string[]): Promise<void> {
  const answers = await Promise.all([...new Set([...known, key()])].map((one) => tried(one).catch(() => undefined)));
  if (answers.includes(undefined)) return;
  expect(answers.filter((answer) => answer === 400)).toHaveLength(1);
}

/** Kills the panel before each entry of the journal that an operation writes; what they were. */
async function killAtEach(page: Page, known: string[]): Promise<string[]> {
  const marks: string[] = [];
  holdEach();
  try {
    await rotate(page);
    for (let mark = await killAtNext(over); mark; mark = await killAtNext(over)) {
      marks.push(mark);
      await takesOne(known);
      await startPanel();
    }
  } finally {
    letGo();
  }
  return marks;
}

test("the panel killed with -9 at every entry of the journal: the next one goes on, and one key works", async ({ page }) => {
  test.setTimeout(600_000);
  const old = key();
  const marks = await killAtEach(page, [old]);
  // Planned, the beginning and the end of each step, and the end of all.
  expect(marks.filter((mark) => mark.startsWith("started ")).length).toBe(16);
  expect(marks).toContain("ended");
  await page.goto(`${gatewayPage()}/operations`);
  await page.getByRole("link", { name: /Rotate the API key/ }).first().click();
  await expect(said(page)).toHaveText("Rotate the API key is done");
  expect(key()).not.toBe(old);
  expect(inContainer()).toBe(key());
  expect([await tried(key()), await tried(old)]).toEqual([400, 401]);
  expect(containerNames()).toEqual([facts().container]);
});

test("the panel killed with -9 at every entry of the way back: the old key works, and the page knows it", async ({ page }) => {
  test.setTimeout(600_000);
  const old = key();
  const env = readFileSync(envFile(), "utf8");
  brokenImage();
  const broken = env.replace(/^OPENCLAW_IMAGE=.*$/m, "OPENCLAW_IMAGE=openclaw:broken");
  writeFileSync(envFile(), broken);
  let marks: string[];
  try {
    marks = await killAtEach(page, [old]);
    expect(readFileSync(envFile(), "utf8")).toBe(broken);
  } finally {
    writeFileSync(envFile(), env);
  }
  expect(marks.filter((mark) => mark.startsWith("undo_finished ")).length).toBeGreaterThan(3);
  expect(marks).toContain("undo_started renew");
  await page.goto(`${gatewayPage()}/operations`);
  await page.getByRole("link", { name: /Rotate the API key/ }).first().click();
  await expect(said(page)).toHaveText("Rotate the API key failed, and everything was put back");
  expect(inContainer()).toBe(old);
  expect(await tried(old)).toBe(400);
  expect(containerNames()).toEqual([facts().container]);
});

test("two people press at once: one key is made, the other is told whose it is", async ({ browser, contextOptions }) => {
  const old = key();
  const contexts = await Promise.all([contextOf(browser, contextOptions), colleague(browser, contextOptions, "otis", "admin")]);
  const pages = await Promise.all(contexts.map((context) => context.newPage()));
  await Promise.all(pages.map((page) => askForNewKey(page)));
  const went = await Promise.all(
    pages.map(async (page) => {
      const answered = page.waitForResponse((answer) => answer.request().method() === "POST");
      await page.getByRole("button", { name: "Rotate the key" }).click();
      return (await answered).headers().location ?? "";
    }),
  );
  const won = went.findIndex((address) => anOperation.test(address));
  const [winner, other] = [pages[won], pages[1 - won]];
  if (!winner || !other) throw new Error(`nobody's rotation was begun: ${went.join(", ")}`);
  await expect(other.getByRole("alert")).toContainText(`Rotate the API key by ${["anna", "otis"][won]}`);
  await expect(said(winner)).toHaveText("Rotate the API key is done", { timeout: 90_000 });
  expect([await tried(key()), await tried(old)]).toEqual([400, 401]);
  await Promise.all(contexts.map((context) => context.close()));
});

test("what GitHub and git refuse is told, hinders nothing, and is tried again until it works", async ({ page }) => {
  test.setTimeout(300_000);
  const infra = join(facts().folder, "infra");
  const log = join(infra, "docs/secrets-rotation-log.md");
  const committed = inRepository("show", "HEAD:docs/secrets-rotation-log.md");
  const old = key();
  await github.trouble({ on: "PUT /repos/", status: 401 });
  appendFileSync(log, "\nsomebody writes here\n");
  await rotate(page);
  await expect(said(page)).toHaveText("Rotate the API key is done", { timeout: 90_000 });
  await expect(page.locator("#verdict")).toContainText("The secret on GitHub still has the old key");
  await expect(page.locator("#verdict")).toContainText("It is not in the rotation log");
  expect([await tried(key()), await tried(old)]).toEqual([400, 401]);
  await page.getByRole("link", { name: "Hand the new key over" }).click();

  const row = (what: string) => page.locator("#repository li", { hasText: what });
  await expect(page.locator("#repository")).toBeVisible();
  const handOver = page.url();
  const again = async (what: string) => {
    await page.goto(handOver);
    // Whoever hangs is waited for.
    await row(what).getByRole("button", { name: "Try again" }).click({ timeout: 60_000 });
    await expect(page.getByRole("alert")).toBeVisible();
    return page.getByRole("alert");
  };
  for (const trouble of [{ status: 401 }, { status: 422 }, { status: 500 }, { hang: true }]) {
    await github.trouble({ on: "PUT /repos/", ...trouble });
    await expect(await again("The secret on GitHub")).toContainText("GitHub");
  }
  await isAccessible(page);
  await github.trouble({});
  await row("The secret on GitHub").getByRole("button", { name: "Try again" }).click();
  await expect(row("The secret on GitHub")).toContainText("GitHub says that it was written at");
  expect((await github.received()).secrets.OPENCLAW_API_KEY.sha256).toBe(sha256(key()));

  await expect(await again("The rotation log")).toContainText("secrets-rotation-log.md");
  // What somebody writes there is theirs.
  expect(readFileSync(log, "utf8")).toBe(`${committed}\nsomebody writes here\n`);
  const anna = ["-c", "user.name=anna", "-c", "user.email=anna@example.org"];
  inRepository("checkout", "--quiet", "-b", "aside");
  inRepository(...anna, "commit", "--quiet", "--all", "--message", "Aside");
  inRepository("checkout", "--quiet", "main");
  writeFileSync(log, `${committed}\nsomebody else does\n`);
  inRepository(...anna, "commit", "--quiet", "--all", "--message", "Here");
  expect(() => execFileSync("git", ["-C", infra, ...anna, "merge", "aside"], { stdio: "ignore" })).toThrow();
  await expect(await again("The rotation log")).toContainText(/merge|conflict/i);
  inRepository("merge", "--abort");
  await row("The rotation log").getByRole("button", { name: "Try again" }).click();
  await expect(row("The rotation log")).toContainText("Committed as");
  expect(inRepository("status", "--porcelain")).toBe("");
});

test("while not everybody has the new key, the old one can be put back", async ({ page }, info) => {
  test.setTimeout(180_000);
  const old = key();
  const operation = await rotate(page);
  await expect(said(page)).toHaveText("Rotate the API key is done", { timeout: 90_000 });
  const next = key();
  await page.getByRole("link", { name: "Hand the new key over" }).click();
  await expect(page.locator("#way-back")).toContainText("the old key is kept, sealed");
  expect(sealed()).toEqual([`${operation.split("/").at(-1)}.env.age`]);
  await page.getByRole("link", { name: "Put the old key back" }).click();
  await confirmIdentity(page);
  await expect(page.locator("#checks")).toContainText("It is kept, fingerprint");
  await isAccessible(page);
  await picture(page, info, "put-key-back-question");
  await page.getByRole("button", { name: "Put the old key back" }).click();
  await page.waitForURL(anOperation);
  await expect(said(page)).toHaveText("Put the old API key back is done", { timeout: 90_000 });
  expect(key()).toBe(old);
  expect([await tried(old), await tried(next), inContainer()]).toEqual([400, 401, old]);
  expect(sealed()).toEqual([]);
  expect((await github.received()).secrets.OPENCLAW_API_KEY.sha256).toBe(sha256(old));
  await page.getByRole("link", { name: "Hand the new key over" }).click();
  await expect(page.locator("#verdict")).toContainText("The old key works again; it is not everywhere yet");
  await isAccessible(page);
  await picture(page, info, "put-key-back-done");
});

test("once everybody has the new key, the old one is kept no longer", async ({ page }) => {
  await rotate(page);
  await expect(said(page)).toHaveText("Rotate the API key is done", { timeout: 90_000 });
  await page.getByRole("link", { name: "Hand the new key over" }).click();
  expect(sealed()).toHaveLength(1);
  await page.getByRole("button", { name: "Show the key once" }).click();
  await page.getByRole("button", { name: "I stored it in .env.local" }).click();
  await expect(page.locator("#copy")).toContainText("Stored.");
  await expect(page.locator("#way-back")).toHaveCount(0);
  expect(sealed()).toEqual([]);
});

test("where a second person is asked for, nobody changes the key alone", async ({ page, browser, contextOptions }, info) => {
  test.setTimeout(180_000);
  const config = join(facts().folder, "panel.toml");
  const before = readFileSync(config, "utf8");
  writeFileSync(config, `${before}rotate_key_needs_second_person = true\n`);
  await stopPanel();
  await startPanel();
  try {
    const old = key();
    expect(() => panel("operation", "start", "rotate-key", "--yes", "--wait")).toThrow(/second person/);
    await askForNewKey(page, "Somebody who knew it has left.");
    await page.getByLabel(/^Why \(/).fill("carla left");
    await page.getByRole("button", { name: "Ask a second person" }).click();
    await expect(page.locator("#verdict")).toContainText("Waiting for a second person");
    await expect(page.getByRole("button", { name: /^Agree/ })).toHaveCount(0);
    await isAccessible(page);
    await picture(page, info, "second-person-asked");
    expect(key()).toBe(old);

    const context = await colleague(browser, { ...contextOptions, viewport: { width: 390, height: 844 } }, "otis", "admin");
    const second = await context.newPage();
    await second.goto(gatewayPage());
    await expect(second.locator("#second")).toContainText("Rotate the API key: anna asks for a second person.", { timeout: 30_000 });
    await isAccessible(second);
    await second.locator("#second").getByRole("link", { name: "Look at it" }).click();
    await expect(second.locator("#asked")).toContainText("carla left");
    await isAccessible(second);
    await picture(second, info, "second-person-decides");
    await second.getByLabel(/^What you have to say/).fill("I know of it");
    await second.getByRole("button", { name: "Agree and begin: Rotate the API key" }).click();
    if (second.url().includes("/account/confirm")) throw new Error("a fresh sign-in is confirmed");
    await second.waitForURL(anOperation);
    await expect(said(second)).toHaveText("Rotate the API key is done", { timeout: 90_000 });
    expect([await tried(key()), await tried(old)]).toEqual([400, 401]);
    await context.close();
    await page.reload();
    await expect(page.locator("#verdict")).toContainText("Agreed to, and begun");
    await page.goto(`${facts().url}/audit`);
    await expect(page.locator("main")).toContainText("otis agreed to it.");
    await expect(page.locator("main")).toContainText("I know of it");
  } finally {
    writeFileSync(config, before);
    await stopPanel();
    await startPanel();
  }
});
