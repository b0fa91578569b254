import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type Page, expect, test } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { mailServer } from "../../support/mail.ts";
import { signIn } from "../../support/people.ts";
import { facts, panel } from "../../support/stack.ts";

/** Signs in with a browser that nobody used here before; on the gateway's page. */
async function newBrowser(browser: Browser, options: object, name: string, password: string): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(`${facts().url}/sign-in`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.locator("#verdict")).toBeVisible();
  return page;
}

test("a new password keeps this browser signed in and ends the others", async ({ browser, contextOptions, page }, info) => {
  const name = `petra-${info.project.name}-${info.repeatEachIndex}`;
  const file = join(facts().folder, `${name}.password`);
  panel("user", "add", name, "--role", "viewer", "--one-time-password-file", file);
  const first = readFileSync(file, "utf8").trim();

  const elsewhere = await browser.newContext(contextOptions);
  const other = await elsewhere.newPage();
  await signIn(other, name, first);
  await signIn(page, name, first);

  await page.goto(`${facts().url}/account`);
  await page.getByLabel("Present password").fill(first);
  await page.getByLabel("New password", { exact: true }).fill("petra-chooses-her-own");
  await page.getByLabel("New password once more").fill("petra-chooses-her-own");
  await page.getByRole("button", { name: "Change" }).click();
  await expect(page.getByText("Your password is changed. Other devices are signed out.")).toBeVisible();
  await picture(page, info, "account-changed");

  await page.goto(`${facts().url}/gateways/openclaw`);
  await expect(page.locator("#verdict")).toBeVisible();
  await other.goto(`${facts().url}/gateways/openclaw`);
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await elsewhere.close();

  await signIn(page, name, "petra-chooses-her-own");
});

test("a new browser is told by mail, too, to whoever has said where", async ({ browser, contextOptions, page }, info) => {
  const name = `mona-${info.project.name}-${info.repeatEachIndex}`;
  const file = join(facts().folder, `${name}.password`);
  panel("user", "add", name, "--role", "viewer", "--one-time-password-file", file);
  const password = readFileSync(file, "utf8").trim();
  const mail = await mailServer();
  await signIn(page, name, password);
  await page.goto(`${facts().url}/account`);
  await page.getByLabel("Your mail address").fill("mona");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("#mail-error")).toHaveText("That is no mail address. It looks like anna@example.org.");
  await isAccessible(page);
  await page.getByLabel("Your mail address").fill("mona@example.org");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Mail about your account goes there from now on.")).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "account-mail");
  expect((await mail.received).text).toContain(`Hello ${name}`);

  const other = await newBrowser(browser, contextOptions, name, password);
  // Seconds; a minute when something else happened between the two.
  await expect.poll(() => mail.mails.length, { timeout: 80_000 }).toBe(2);
  expect(mail.mails[1]?.to).toEqual(["mona@example.org"]);
  expect(mail.mails[1]?.text).toContain("Chrome on");
  expect(mail.mails[1]?.text).toContain(`${facts().url}/account`);
  await other.context().close();
  await mail.close();
});

test("a new browser is asked about on the others, and is signed out at once", async ({ browser, contextOptions, page }, info) => {
  const name = `nils-${info.project.name}-${info.repeatEachIndex}`;
  const file = join(facts().folder, `${name}.password`);
  panel("user", "add", name, "--role", "viewer", "--one-time-password-file", file);
  const password = readFileSync(file, "utf8").trim();
  await signIn(page, name, password);

  const other = await newBrowser(browser, contextOptions, name, password);

  await page.goto(`${facts().url}/account`);
  await expect(page.getByText(/^Somebody signed in as you with Chrome on .* Was it you\?$/)).toBeVisible();
  await expect(page.getByRole("listitem").filter({ hasText: "this one" })).toHaveCount(1);
  await isAccessible(page);
  await picture(page, info, "account-new-device");
  await page.getByRole("button", { name: "No, sign it out" }).click();
  await expect(page.getByText("It is signed out. If it was not you, change your password now")).toBeVisible();
  await isAccessible(page);
  // The other page is not touched: its event stream tells it.
  await other.getByRole("link", { name: "Session ended: sign in again" }).click();
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await other.context().close();
  await page.goto(`${facts().url}/gateways/openclaw`);
  await expect(page.locator("#verdict")).toBeVisible();
});
