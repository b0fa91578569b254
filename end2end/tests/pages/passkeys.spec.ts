import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CDPSession, Page } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { expect, signIn, test } from "../../support/people.ts";
import { facts, panel } from "../../support/stack.ts";

const heading = (page: Page) => page.getByRole("heading", { level: 1 });

/** A device of the browser's own, which asks nobody: `verify` says whether its owner is there. */
async function device(page: Page): Promise<{ verify(yes: boolean): Promise<void> }> {
  const cdp: CDPSession = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { verify: async (yes) => void (await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: yes })) };
}

async function signOut(page: Page, phone: boolean): Promise<void> {
  await page.goto(`${facts().url}/account`);
  if (phone) await page.getByText("Menu").click();
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await expect(heading(page)).toHaveText("Sign in");
}

test("a passkey is made, signs in, stands for the code, confirms, and opens nothing once it is removed", async ({ browser, contextOptions }, info) => {
  const phone = info.project.name === "phone";
  const name = `pia-${info.project.name}-${info.repeatEachIndex}`;
  const file = join(facts().folder, `${name}.password`);
  panel("user", "add", name, "--role", "operator", "--one-time-password-file", file);
  const password = readFileSync(file, "utf8").trim();
  const context = await browser.newContext(contextOptions);
  const page = await context.newPage();
  const own = await device(page);
  await signIn(page, name, password);

  await page.goto(`${facts().url}/account/second-factor`);
  await expect(page.getByRole("button", { name: "Add a passkey" })).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "passkeys-none");
  await page.getByLabel("Name of the new passkey").fill("my phone");
  await own.verify(false);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await expect(page.getByText("No passkey was made, or it took too long. Try again.")).toBeVisible();
  await own.verify(true);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await expect(page.getByRole("heading", { name: "Your recovery codes, shown once" })).toBeVisible();
  await expect(page.getByRole("listitem").filter({ hasText: "my phone" })).toContainText("never used");
  await isAccessible(page);
  await picture(page, info, "passkeys-made");
  await page.getByLabel("Name of the new passkey").fill("my phone again");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await expect(page.getByText("This device has a passkey for this panel already.")).toBeVisible();

  await signOut(page, phone);
  await isAccessible(page);
  await picture(page, info, "sign-in-passkey");
  await own.verify(false);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByText("Nothing was chosen, or it took too long. Try again.")).toBeVisible();
  await own.verify(true);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(heading(page)).not.toHaveText("Sign in");

  // The password alone opens nothing any more.
  await signOut(page, phone);
  await signIn(page, name, password);
  await expect(heading(page)).toHaveText("Your second factor");
  await isAccessible(page);
  await picture(page, info, "sign-in-code-passkey");
  await page.getByLabel("A recovery code").fill("wrong-wrong-wrong");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.locator("#code-error")).toBeVisible();
  await page.getByRole("button", { name: "Use your passkey" }).click();
  await expect(heading(page)).not.toHaveText("Your second factor");

  await page.goto(`${facts().url}/account/confirm?next=%2Faccount`);
  await expect(page.getByRole("button", { name: "Use your passkey" })).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "confirm-passkey");
  await page.getByRole("button", { name: "Use your passkey" }).click();
  await expect(heading(page)).toHaveText("Your account");

  await page.goto(`${facts().url}/account/second-factor`);
  await page.getByRole("button", { name: "Remove my phone" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "my phone" })).toHaveCount(0);
  await signOut(page, phone);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("alert")).toContainText("The passkey was not accepted");
  await isAccessible(page);
  await picture(page, info, "sign-in-passkey-refused");
  await signIn(page, name, password);
  await expect(heading(page)).not.toHaveText("Your second factor");
  await context.close();
});
