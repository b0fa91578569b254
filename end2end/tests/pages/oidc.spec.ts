import { readFileSync, writeFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { codeOf } from "../../support/authenticator.ts";
import { isAccessible, picture } from "../../support/looks.ts";
import { confirmIdentity, expect, known, test } from "../../support/people.ts";
import { facts, panel } from "../../support/stack.ts";

const heading = (page: Page) => page.getByRole("heading", { level: 1 });

/** What the identity provider says of somebody from now on. */
function person(login: string, claims: { groups: string[]; email?: string; email_verified?: boolean }): void {
  const file = facts().identityPeople;
  const all = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...all, [login]: { preferred_username: login, ...claims } }));
}

/** On the provider's own page. */
async function proveThere(page: Page, login: string): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill(login);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
}

/** The role on the account's page. */
const role = (page: Page) => page.locator("dt", { hasText: /^Role$/ }).locator("+ dd");

async function signOut(page: Page, phone: boolean): Promise<void> {
  await page.goto(`${facts().url}/account`);
  if (phone) await page.getByText("Menu").click();
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await expect(heading(page)).toHaveText("Sign in");
}

test("an identity provider lets in, gives the role of the group, confirms, and without a group opens nothing", async ({ browser, contextOptions }, info) => {
  const phone = info.project.name === "phone";
  const login = `iris-${info.project.name}-${info.repeatEachIndex}`;
  const door = `${facts().url}/sign-in?next=%2Faccount`;
  person(login, { groups: ["staff", "chess"] });
  const context = await browser.newContext(contextOptions);
  await known(context);
  const page = await context.newPage();

  await page.goto(door);
  await expect(page.getByRole("link", { name: "Sign in with Example" })).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "sign-in-provider");
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await proveThere(page, login);
  await expect(heading(page)).toHaveText("Your account");
  await expect(role(page)).toHaveText("viewer");

  await page.goto(`${facts().url}/account/confirm?next=%2Faccount`);
  await isAccessible(page);
  await picture(page, info, "confirm-provider");
  await page.getByRole("link", { name: "Confirm with Example" }).click();
  // It knows them already, and asks all the same.
  await proveThere(page, login);
  await expect(heading(page)).toHaveText("Your account");

  person(login, { groups: ["ops", "staff"] });
  await signOut(page, phone);
  await page.goto(door);
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await expect(heading(page)).toHaveText("Your account");
  await expect(role(page)).toHaveText("operator");

  // Another browser of theirs, which is open when the groups go.
  const other = await browser.newContext(contextOptions);
  await known(other);
  const elsewhere = await other.newPage();
  await elsewhere.goto(door);
  await elsewhere.getByRole("link", { name: "Sign in with Example" }).click();
  await proveThere(elsewhere, login);
  await expect(heading(elsewhere)).toHaveText("Your account");
  person(login, { groups: ["chess"] });
  await signOut(page, phone);
  await page.goto(door);
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await expect(page.getByRole("alert")).toHaveText("You are in no group at Example that may use this panel. Ask an admin.");
  await isAccessible(page);
  await picture(page, info, "sign-in-provider-refused");
  await elsewhere.goto(`${facts().url}/account`);
  await expect(heading(elsewhere)).toHaveText("Sign in");
  await other.close();
  await context.close();
});

test("who signs in by the provider and has an authenticator here confirms by both, without a password", async ({ browser, contextOptions }, info) => {
  const login = `ivo-${info.project.name}-${info.repeatEachIndex}`;
  person(login, { groups: ["staff"] });
  const context = await browser.newContext(contextOptions);
  await known(context);
  const page = await context.newPage();
  await page.goto(`${facts().url}/sign-in?next=%2Faccount%2Fsecond-factor`);
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await proveThere(page, login);
  await page.getByRole("button", { name: "Set up" }).click();
  const secret = (await page.locator("#secret-text").textContent()) ?? "";
  await page.getByLabel("Code", { exact: true }).fill(codeOf(secret));
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByRole("heading", { name: "Your recovery codes, shown once" })).toBeVisible();

  await page.goto(`${facts().url}/account/confirm?next=%2Faccount`);
  await expect(page.getByLabel("Your password")).toHaveCount(0);
  await page.getByRole("link", { name: "Confirm with Example" }).click();
  await proveThere(page, login);
  await expect(page.getByText("Example says that it is you.")).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "confirm-provider-code");
  await page.getByLabel("Code of your authenticator").fill("000000");
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.locator("#code-error")).toContainText("The code is not right");
  await isAccessible(page);
  await page.getByLabel("Code of your authenticator").fill(codeOf(secret, 1));
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(heading(page)).toHaveText("Your account");
  await context.close();
});

test("a name that is taken here and a mail address that is not verified there open nothing; an admin disconnects somebody", async ({ page: admins, browser, contextOptions }, info) => {
  const taken = `otto-${info.project.name}-${info.repeatEachIndex}`;
  panel("user", "add", taken, "--role", "viewer");
  person(taken, { groups: ["ops"] });
  const context = await browser.newContext(contextOptions);
  await known(context);
  const page = await context.newPage();
  await page.goto(`${facts().url}/sign-in?next=%2Faccount`);
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await proveThere(page, taken);
  await expect(page.getByRole("alert")).toContainText("Somebody here has the name that Example knows you by.");

  person(taken, { groups: ["ops"], email: "otto@example.org", email_verified: false });
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await expect(page.getByRole("alert")).toContainText("Your mail address is not verified at Example.");

  // An admin says who it is; the role follows the groups.
  panel("user", "connect", taken, taken);
  person(taken, { groups: ["ops"], email: "otto@example.org", email_verified: true });
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await expect(heading(page)).not.toHaveText("Sign in");
  await page.goto(`${facts().url}/account`);
  await expect(role(page)).toHaveText("operator");

  await admins.goto(`${facts().url}/account/confirm?next=%2Fpeople`);
  await confirmIdentity(admins);
  const row = admins.getByRole("listitem").filter({ hasText: taken });
  await expect(row).toContainText("signs in by Example");
  await row.getByText("Change", { exact: true }).click();
  await isAccessible(admins);
  await picture(admins, info, "people-provider");
  await row.getByRole("button", { name: "Disconnect from Example" }).click();
  await expect(row).not.toContainText("signs in by Example");
  await page.goto(`${facts().url}/account`);
  await expect(heading(page)).toHaveText("Sign in");
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await expect(page.getByRole("alert")).toContainText("Somebody here has the name that Example knows you by.");
  await context.close();
});
