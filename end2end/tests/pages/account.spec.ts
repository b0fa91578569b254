import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { signIn } from "../../support/people.ts";
import { facts, panel } from "../../support/stack.ts";

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

test("a new browser is asked about on the others, and is signed out at once", async ({ browser, contextOptions, page }, info) => {
  const name = `nils-${info.project.name}-${info.repeatEachIndex}`;
  const file = join(facts().folder, `${name}.password`);
  panel("user", "add", name, "--role", "viewer", "--one-time-password-file", file);
  const password = readFileSync(file, "utf8").trim();
  await signIn(page, name, password);

  const elsewhere = await browser.newContext(contextOptions);
  const other = await elsewhere.newPage();
  await other.goto(`${facts().url}/sign-in`);
  await other.getByLabel("Name").fill(name);
  await other.getByLabel("Password").fill(password);
  await other.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(other.locator("#verdict")).toBeVisible();

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
  await elsewhere.close();
  await page.goto(`${facts().url}/gateways/openclaw`);
  await expect(page.locator("#verdict")).toBeVisible();
});
