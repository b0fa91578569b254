import { signIn } from "../../support/people.ts";
import { expect, test } from "@playwright/test";
import { inRepository } from "../../support/keys.ts";
import { facts } from "../../support/stack.ts";

test("without JavaScript: a credential is added, ticked off, and its rotation noted", async ({ page }, info) => {
  const title = `Token ${info.project.name}-${info.repeatEachIndex}`;
  await signIn(page);
  await page.goto(`${facts().url}/credentials`);
  await page.getByRole("link", { name: "Add a credential" }).click();
  await page.getByLabel("What it is").fill(title);
  await page.getByLabel("How it is rotated").fill("1. Make a new one\n2. End the old one");
  await page.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(title);
  for (const step of ["Make a new one", "End the old one"]) await page.getByLabel(step).check();
  await page.getByLabel("Why", { exact: true }).selectOption("Somebody who knew it has left.");
  await page.getByRole("button", { name: "Note the rotation" }).click();
  await expect(page.getByText("The rotation is noted, here, in the audit trail and in the rotation log.")).toBeVisible();
  expect(inRepository("show", "HEAD:docs/secrets-rotation-log.md")).toContain(`| ${title} |`);
  await expect(page.getByText(`Rotated by ${facts().user}`)).toBeVisible();
  await page.getByText("Change owner, interval or procedure").click();
  await page.getByLabel("Who sees to it").fill("otto");
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await expect(page.getByText("What the register says of it is changed.")).toBeVisible();
  await expect(page.locator("dd", { hasText: "otto" })).toBeVisible();
});
