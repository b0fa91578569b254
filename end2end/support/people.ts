import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, type Page, expect, test as base } from "@playwright/test";
import { facts, panel } from "./stack.ts";

/** Makes the browser one that everybody has signed in with before: a new one is asked about on every page of the others. */
export async function known(context: BrowserContext): Promise<void> {
  const value = "browserOfTheTests000000000000000";
  await context.addCookies([{ name: "__Host-device", value, url: facts().url, secure: true, httpOnly: true, sameSite: "Lax" }]);
}

/** Fills in the sign-in form as a person does. */
export async function signIn(page: Page, name = facts().user, password = facts().password): Promise<void> {
  await known(page.context());
  await page.goto(`${facts().url}/sign-in`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).not.toHaveText("Sign in");
}

const kept = (name: string) => join(facts().folder, `${name}.session.json`);

/** A context in which somebody is signed in; the form is filled in once a person and run. */
export async function contextOf(browser: Browser, options: object, name = facts().user, password = facts().password): Promise<BrowserContext> {
  const file = kept(name);
  if (!existsSync(file)) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    await signIn(await context.newPage(), name, password);
    await context.storageState({ path: file });
    await context.close();
  }
  return browser.newContext({ ...options, storageState: file });
}

/** A context of somebody else; the first test that needs them adds them. */
export async function colleague(browser: Browser, options: object, name: string, role: string): Promise<BrowserContext> {
  const file = join(facts().folder, `${name}.password`);
  if (!existsSync(file)) panel("user", "add", name, "--role", role, "--one-time-password-file", file);
  return contextOf(browser, options, name, readFileSync(file, "utf8").trim());
}

/** A context of vera, who may look and not act. */
export const viewerContext = (browser: Browser, options: object) => colleague(browser, options, "vera", "viewer");

/** `page` belongs to anna, the admin. */
export const test = base.extend({
  context: async ({ browser, contextOptions }, use) => {
    const context = await contextOf(browser, contextOptions);
    await use(context);
    await context.close();
  },
});

export { expect };

export const gatewayPage = () => `${facts().url}/gateways/openclaw`;

/** The verdict's sentence. */
export const verdict = (page: Page) => page.locator("#verdict-said");

/** Types the password again where the page asks for it: it does ten minutes after the last time. */
export async function confirmIdentity(page: Page): Promise<void> {
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toBeVisible();
  if ((await heading.textContent()) !== "Confirm that it is you") return;
  await page.getByLabel("Your password").fill(facts().password);
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(heading).not.toHaveText("Confirm that it is you");
  // The session goes on under a new id.
  await page.context().storageState({ path: kept(facts().user) });
}

/** On the gateway's page, once it knows that WhatsApp is not linked. */
export async function unlinked(page: Page, timeout = 30_000): Promise<void> {
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("WhatsApp is not linked", { timeout });
}

/** The address of an operation's page. */
export const anOperation = /\/operations\/[0-9a-f-]{36}$/;

/** Presses an action on the gateway's page and confirms it; ends on the operation's page. */
export async function carryOut(page: Page, action: string, reason = "end-to-end test"): Promise<void> {
  await page.goto(`${gatewayPage()}/operations/new/${action.toLowerCase()}`);
  await page.getByLabel(/^Why/).fill(reason);
  await page.getByRole("button", { name: action, exact: true }).click();
  await page.waitForURL(anOperation);
}
