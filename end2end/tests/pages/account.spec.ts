import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { picture } from "../../support/looks.ts";
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
