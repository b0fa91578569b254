import { complaints, isAccessible, picture } from "../../support/looks.ts";
import { expect, gatewayPage, test, viewerContext } from "../../support/people.ts";
import { facts } from "../../support/stack.ts";

const pages: [string, () => string, RegExp][] = [
  ["logs", () => `${gatewayPage()}/logs?lines=30`, /log/i],
  ["operations", () => `${gatewayPage()}/operations`, /Operations/],
  ["accounts", () => `${gatewayPage()}/accounts`, /Accounts/],
  ["backups", () => `${gatewayPage()}/backups`, /Backups/],
  ["confirm-identity", () => `${facts().url}/account/confirm?next=/`, /Confirm that it is you/],
  ["confirm-restart", () => `${gatewayPage()}/operations/new/restart`, /Restart/],
  ["confirm-recreate", () => `${gatewayPage()}/operations/new/recreate`, /Recreate/],
  ["people", () => `${facts().url}/people`, /People/],
  ["account", () => `${facts().url}/account`, /account/],
  ["credentials-at-first", () => `${facts().url}/credentials`, /Credentials/],
  ["credential-new", () => `${facts().url}/credentials/new`, /Add/],
  ["audit", () => `${facts().url}/audit`, /Audit/],
  ["not-found", () => `${facts().url}/no-such-page`, /./],
  ["no-such-gateway", () => `${facts().url}/gateways/other`, /./],
];

for (const [name, url, heading] of pages) {
  test(`${name}: one heading, nothing for axe to find`, async ({ page }, info) => {
    const said = complaints(page);
    await page.goto(url());
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(heading);
    expect(await page.locator(".btn.primary:not([disabled])").count()).toBeLessThanOrEqual(1);
    await isAccessible(page);
    await picture(page, info, name);
    expect(said.filter((line) => !line.includes("404"))).toEqual([]);
  });
}

test("an operation's page shows its steps after the end", async ({ page }, info) => {
  await page.goto(`${gatewayPage()}/operations`);
  await page.getByRole("link", { name: /Install/ }).first().click();
  await expect(page.locator("#verdict-said")).toHaveText("Install is done");
  await isAccessible(page);
  await picture(page, info, "operation");
});

test("a page without a stream shows times in the viewer's zone, with UTC on hover", async ({ page }) => {
  await page.goto(`${facts().url}/audit`);
  const time = page.locator("main time").first();
  await expect(time).toHaveAttribute("title", /UTC/);
  await expect(time).not.toContainText("UTC");
});

test("a viewer sees the state and may not act, and the page says why", async ({ browser, contextOptions }, info) => {
  const context = await viewerContext(browser, contextOptions);
  const page = await context.newPage();
  await page.goto(gatewayPage());
  await expect(page.locator("#verdict")).toBeVisible();
  await expect(page.getByRole("button", { name: "Restart", exact: true })).toBeDisabled();
  await expect(page.getByText("Your role can look but not act", { exact: false }).first()).toBeVisible();
  await page.goto(`${facts().url}/people`);
  await expect(page.getByText("Only an admin can do this.")).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "forbidden");
  await page.goto(`${gatewayPage()}/operations/new/restart`);
  await expect(page.getByText("Your role can look but not act", { exact: false })).toBeVisible();
  await context.close();
});
