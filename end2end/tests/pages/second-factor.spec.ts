import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { codeOf } from "../../support/authenticator.ts";
import { isAccessible, picture } from "../../support/looks.ts";
import { contextOf, expect, signIn, test } from "../../support/people.ts";
import { facts, panel } from "../../support/stack.ts";

const heading = (page: Page) => page.getByRole("heading", { level: 1 });

async function firstStep(page: Page, name: string, password: string): Promise<void> {
  await signIn(page, name, password);
  await expect(heading(page)).toHaveText("Your second factor");
}

test("an authenticator is set up, asked for, replaced by a recovery code, and removed by an admin", async ({ browser, contextOptions }, info) => {
  const name = `theo-${info.project.name}-${info.repeatEachIndex}`;
  const file = join(facts().folder, `${name}.password`);
  panel("user", "add", name, "--role", "operator", "--one-time-password-file", file);
  const password = readFileSync(file, "utf8").trim();
  const context = await browser.newContext(contextOptions);
  const page = await context.newPage();
  await signIn(page, name, password);

  await page.goto(`${facts().url}/account`);
  await page.getByRole("link", { name: "Set one up" }).click();
  await isAccessible(page);
  await picture(page, info, "second-factor-none");
  await page.getByRole("button", { name: "Set up" }).click();
  await expect(page.getByRole("heading", { name: "Scan this with your authenticator" })).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "second-factor-scan");
  const secret = (await page.locator("#secret-text").textContent()) ?? "";
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.locator("#code-error")).toContainText("The code is not right");
  await isAccessible(page);
  await page.getByLabel("Code", { exact: true }).fill(codeOf(secret));
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByRole("heading", { name: "Your recovery codes, shown once" })).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "second-factor-codes");
  const codes = ((await page.locator("#recovery-codes").textContent()) ?? "").split("\n");
  expect(codes).toHaveLength(10);
  await page.reload();
  await expect(page.getByText("10 of 10 recovery codes are left.")).toBeVisible();
  await expect(page.locator("#recovery-codes")).toHaveCount(0);
  await picture(page, info, "second-factor-in-use");
  await context.close();

  // Elsewhere the password alone opens nothing.
  const other = await browser.newContext(contextOptions);
  const door = await other.newPage();
  await firstStep(door, name, password);
  await isAccessible(door);
  await door.goto(`${facts().url}/gateways/openclaw`);
  await expect(heading(door)).toHaveText("Sign in");
  await firstStep(door, name, password);
  await door.getByLabel("Code of your authenticator").fill("000000");
  await door.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(door.locator("#code-error")).toBeVisible();
  await isAccessible(door);
  await picture(door, info, "sign-in-code");
  await door.getByLabel("Code of your authenticator").fill(codeOf(secret, 1));
  await door.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(heading(door)).not.toHaveText("Your second factor");
  if (info.project.name === "phone") await door.getByText("Menu").click();
  await door.getByRole("button", { name: "Sign out" }).click();
  await expect(heading(door)).toHaveText("Sign in");

  // The phone is lost.
  await firstStep(door, name, password);
  await door.getByLabel("Code of your authenticator").fill(codes[0]?.toUpperCase() ?? "");
  await door.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(heading(door)).not.toHaveText("Your second factor");
  await door.goto(`${facts().url}/account/second-factor`);
  await expect(door.getByText("9 of 10 recovery codes are left.")).toBeVisible();

  const admin = await contextOf(browser, contextOptions);
  const people = await admin.newPage();
  await people.goto(`${facts().url}/people`);
  const row = people.getByRole("listitem").filter({ hasText: name });
  await expect(row).toContainText("second factor in use");
  await row.getByText("Change", { exact: true }).click();
  await isAccessible(people);
  await picture(people, info, "people-second-factor");
  await row.getByRole("button", { name: "Remove second factor" }).click();
  await expect(people.getByRole("listitem").filter({ hasText: name })).toContainText("no second factor");
  await admin.close();
  await door.goto(`${facts().url}/account`);
  await expect(heading(door)).toHaveText("Sign in");
  await signIn(door, name, password);
  await expect(heading(door)).not.toHaveText("Your second factor");
  await other.close();
});
