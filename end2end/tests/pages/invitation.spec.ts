import { execFileSync } from "node:child_process";
import { isAccessible, picture } from "../../support/looks.ts";
import { expect, test } from "../../support/people.ts";
import { facts, panel } from "../../support/stack.ts";

const PASSWORD = "four words of her own";

test("an admin invites by a link; it is opened once, elsewhere, and signs in", async ({ browser, contextOptions, page }, info) => {
  const name = `ida-${info.project.name}-${info.repeatEachIndex}`;
  await page.goto(`${facts().url}/people`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Role", { exact: true }).selectOption("manager");
  await page.getByRole("button", { name: "Invite" }).click();
  await expect(page.getByText(`The one-time link of ${name}`)).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "people-invited");
  const link = (await page.locator("#link-text").textContent()) ?? "";
  await page.reload();
  await expect(page.locator("#link-text")).toHaveCount(0);
  await expect(page.getByRole("listitem").filter({ hasText: name })).toContainText("invited; the link opens until");

  const context = await browser.newContext(contextOptions);
  const hers = await context.newPage();
  // Whatever looks at links in mails does not use it up.
  await hers.goto(link);
  await hers.goto(link);
  await expect(hers.getByText(`You sign in as ${name}.`)).toBeVisible();
  await isAccessible(hers);
  await picture(hers, info, "welcome");
  const choose = async (password: string, again = password) => {
    await hers.getByLabel("Password", { exact: true }).fill(password);
    await hers.getByLabel("Password once more").fill(again);
    await hers.getByRole("button", { name: "Choose and sign in" }).click();
  };
  // While it is typed it is said how hard it is to guess.
  const strength = hers.locator(".strength");
  await hers.getByLabel("Password", { exact: true }).fill("password");
  await expect(strength).toHaveText("Too short: 4 more characters.");
  await hers.getByLabel("Password", { exact: true }).fill("password1234");
  await expect(strength).toContainText("Easy to guess.");
  await picture(hers, info, "welcome-easy");
  await hers.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await expect(strength).toHaveText("Hard to guess.");
  await isAccessible(hers);
  await choose(PASSWORD, "something else");
  await expect(hers.locator("#again-error")).toHaveText("The two passwords are not the same.");
  await choose("password1234");
  await expect(hers.locator("#password-error")).toContainText("easy to guess");
  await isAccessible(hers);
  await picture(hers, info, "welcome-wrong");
  await choose(PASSWORD);
  await expect(hers).toHaveURL(/\/gateways\/openclaw$/);
  await hers.goto(link);
  await expect(hers.getByText("This link was used already.")).toBeVisible();
  await context.close();

  const log = execFileSync("cat", [`${facts().folder}/panel.log`], { encoding: "utf8" });
  expect(log).not.toContain(link.split("/").at(-1));
});

test("the command line invites, too", async ({ browser, contextOptions }, info) => {
  const name = `udo-${info.project.name}-${info.repeatEachIndex}`;
  const [, link] = panel("user", "add", name, "--role", "viewer").split("\n");
  const context = await browser.newContext(contextOptions);
  const page = await context.newPage();
  await page.goto(link ?? "");
  await expect(page.getByText(`You sign in as ${name}.`)).toBeVisible();
  const again = panel("user", "reset", name).split("\n")[1] ?? "";
  await page.reload();
  await expect(page.getByText("There is no such link.")).toBeVisible();
  await page.goto(again);
  await expect(page.getByText(`You sign in as ${name}.`)).toBeVisible();
  await context.close();
});

test("somebody may have a role on one gateway alone, or none", async ({ browser, contextOptions, page }, info) => {
  const name = `eva-${info.project.name}-${info.repeatEachIndex}`;
  await page.goto(`${facts().url}/people`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Role", { exact: true }).selectOption("none");
  const form = page.locator("form").filter({ has: page.getByRole("button", { name: "Invite" }) });
  await form.getByLabel(/^On /).selectOption("viewer");
  await page.getByRole("button", { name: "Invite" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: name })).toContainText("viewer on openclaw");
  const link = (await page.locator("#link-text").textContent()) ?? "";

  const context = await browser.newContext(contextOptions);
  const hers = await context.newPage();
  await hers.goto(link);
  await hers.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await hers.getByLabel("Password once more").fill(PASSWORD);
  await hers.getByRole("button", { name: "Choose and sign in" }).click();
  await expect(hers).toHaveURL(/\/gateways\/openclaw$/);
  // A stream is open; what its reader may see ends with the role, without a page being loaded.
  panel("user", "role", name, "none");
  await hers.getByRole("link", { name: "Session ended: sign in again" }).click();
  await hers.getByLabel("Name").fill(name);
  await hers.getByLabel("Password").fill(PASSWORD);
  await hers.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(hers.getByRole("heading", { name: "No gateway is open to you" })).toBeVisible();
  await isAccessible(hers);
  await picture(hers, info, "no-gateway");
  const refused = await hers.goto(`${facts().url}/gateways/openclaw`);
  expect(refused?.status()).toBe(403);
  await context.close();

  const row = page.getByRole("listitem").filter({ hasText: name });
  await page.reload();
  await row.getByText("Change", { exact: true }).click();
  await expect(row.getByLabel(`Role of ${name}`)).toHaveValue("none");
  await isAccessible(page);
  await picture(page, info, "people-roles");
});
