/** The person with the panel is not the person with the phone: a one-time link shows the code on another screen. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Browser, Page } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { mailServer } from "../../support/mail.ts";
import { expect, gatewayPage, test, unlinked, verdict } from "../../support/people.ts";
import { facts, sql, until } from "../../support/stack.ts";
import { look, phone, removedOnPhone, startWhatsApp, stopWhatsApp } from "../../support/whatsapp.ts";

// One after the other: each goes on from the link that the last one left.
test.describe.configure({ mode: "serial" });

test.beforeAll(startWhatsApp);
test.afterAll(async () => {
  // The next stand-in knows nothing of this link: the gateway must not go on believing in it.
  await phone.logOut();
  await stopWhatsApp();
});

/** What opened each link that was made, to be looked for where it must not be. */
const tokens: string[] = [];

const said = (page: Page) => page.locator("#verdict-said");

/** A device on which nobody is signed in. */
async function device(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 390, height: 844 } });
  return context.newPage();
}

async function start(page: Page): Promise<void> {
  await page.goto(`${gatewayPage()}/operations/new/relink?account=default`);
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await look(page);
}

/** Makes a link on the operation's page; ends on the page of links. */
async function makeLink(page: Page): Promise<string> {
  await page.getByRole("link", { name: "Show on another screen" }).click();
  await page.getByRole("button", { name: "Make a link" }).click();
  const link = (await page.locator("#link-text").textContent()) ?? "";
  expect(link).toMatch(/\/hand-off\/[0-9a-f]{64}$/);
  tokens.push(link.split("/").at(-1) ?? "");
  return link;
}

/** The one that the second test leaves running for the third. */
let running = "";

test("a link is opened once, shows the code, and a scan of it links and connects", async ({ page, browser }, info) => {
  await unlinked(page);
  await start(page);
  const link = await makeLink(page);
  await isAccessible(page);
  await picture(page, info, "hand-off-link");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  // The link's own code is read by the other device's camera.
  expect(await look(page)).toBe(link);
  await page.reload();
  await expect(page.locator("#link-text")).toHaveCount(0);

  const other = await device(browser);
  await other.goto(link);
  await isAccessible(other);
  await picture(other, info, "hand-off-question");
  await other.getByRole("button", { name: "Show the code here" }).click();
  await expect(other).toHaveURL(/\/hand-off$/);
  const code = await look(other);
  expect(code).toContain("wa.me");
  await isAccessible(other);
  await picture(other, info, "hand-off-code");
  await expect(other.locator("body")).not.toContainText("vps-i1");

  const second = await device(browser);
  await second.goto(link);
  await expect(second.getByText("was opened on a device already")).toBeVisible();
  await second.goto(new URL("/hand-off", link).href);
  await expect(second.getByText("has no link open")).toBeVisible();
  await expect(second.locator(".scan .code svg")).toHaveCount(0);
  const streamed = await second.evaluate(async () => (await fetch("/events/hand-off")).status);
  expect(streamed).toBe(204);
  await second.context().close();

  await page.reload();
  await expect(page.getByText(/opened from .*Chrome/)).toBeVisible();
  await phone.scan(code);
  await expect(other.locator("#said-big")).toHaveText("Linked and connected", { timeout: 60_000 });
  await expect(other.locator(".scan .code svg")).toHaveCount(0);
  await isAccessible(other);
  await picture(other, info, "hand-off-done");
  await other.context().close();
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 30_000 });
});

test("a link that is taken back shows nothing more, within a second", async ({ page, browser }, info) => {
  await removedOnPhone(page);
  await start(page);
  running = page.url();
  const link = await makeLink(page);
  const other = await device(browser);
  await other.goto(link);
  await other.getByRole("button", { name: "Show the code here" }).click();
  await look(other);
  await page.reload();
  await page.getByRole("button", { name: "Take back" }).click();
  await expect(other.getByText("This link was taken back")).toBeVisible({ timeout: 5_000 });
  await expect(other.locator(".scan .code svg")).toHaveCount(0);
  await picture(other, info, "hand-off-taken-back");
  await other.reload();
  await expect(other.getByText("This link was taken back")).toBeVisible();
  await other.context().close();
  // One that nobody has opened yet.
  await page.getByRole("button", { name: "Make a link" }).click();
  const unopened = (await page.locator("#link-text").textContent()) ?? "";
  await page.getByRole("button", { name: "Take back" }).first().click();
  const late = await device(browser);
  await late.goto(unopened);
  await expect(late.getByText("This link was taken back")).toBeVisible();
  await late.context().close();
});

test("a link is mailed to whoever holds the phone, and shown when the mail server is away", async ({ page, browser }, info) => {
  await page.goto(running);
  await page.getByRole("link", { name: "Show on another screen" }).click();
  const address = page.getByLabel("Or make one and send it to this address");
  const send = page.getByRole("button", { name: "Make and send" });
  await address.fill("otto@example.org");
  await send.click();
  await expect(page.locator("#to-error")).toContainText("The mail server cannot be reached");
  await expect(page.locator("#link-text")).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "hand-off-no-mail");

  const { received, close } = await mailServer();
  await send.click();
  await expect(page.getByText("The mail is with the mail server.")).toBeVisible();
  const link = await page.locator("#link-text").textContent();
  const mail = await received;
  expect(mail.to).toEqual(["otto@example.org"]);
  expect(mail.text).toContain("Subject: Please link WhatsApp");
  // As mail programs put lines together again.
  expect(mail.text.replaceAll("=\r\n", "")).toContain(link);
  await close();
  const other = await device(browser);
  await other.goto(link ?? "");
  await expect(other.getByRole("button", { name: "Show the code here" })).toBeVisible();
  await other.context().close();
});

test("a link that is too old opens nothing; without JavaScript it works all the same", async ({ page, browser }) => {
  await page.goto(running);
  const link = await makeLink(page);
  sql("UPDATE hand_offs SET expires_at = made_at WHERE opened_at IS NULL AND revoked_at IS NULL");
  const late = await device(browser);
  await late.goto(link);
  await expect(late.getByText("older than ten minutes")).toBeVisible();
  await late.context().close();

  await page.getByRole("button", { name: "Make a link" }).click();
  const fresh = (await page.locator("#link-text").textContent()) ?? "";
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const plain = await context.newPage();
  await plain.goto(fresh);
  await plain.getByRole("button", { name: "Show the code here" }).click();
  await look(plain);
  await page.goto(running);
  await page.getByRole("button", { name: "Stop and put back" }).click();
  await expect(said(page)).toHaveText("Link account default was stopped and put back", { timeout: 30_000 });
  // The page loads itself again.
  await expect(plain.locator("#said-big")).toHaveText("It was stopped", { timeout: 15_000 });
  await context.close();
});

test("who made a link and where it was opened stands in the audit trail, and no token anywhere", async () => {
  await until("the trail is written", () => (Number(sql("SELECT count(*) FROM audit_events WHERE action = 'open-hand-off'")) > 0 ? true : undefined));
  expect(sql("SELECT count(*) FROM audit_events WHERE action = 'hand-off' AND actor->>'name' = 'anna'")).toBe("7");
  expect(sql("SELECT count(*) FROM audit_events WHERE action = 'open-hand-off' AND outcome = 'succeeded' AND note LIKE 'From %made by anna.'")).toBe("3");
  expect(Number(sql("SELECT count(*) FROM audit_events WHERE action = 'revoke-hand-off'"))).toBe(2);
  expect(tokens.length).toBeGreaterThan(1);
  for (const token of tokens) {
    const places = [join(facts().folder, "data"), join(facts().folder, "panel.log"), join(facts().folder, "caddy.log")];
    let found = "";
    try {
      found = execFileSync("grep", ["-rlaF", "--", token, ...places], { encoding: "utf8" });
    } catch (error) {
      if ((error as { status?: number }).status !== 1) throw error;
    }
    expect(found).toBe("");
  }
});
