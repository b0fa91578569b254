import { complaints, isAccessible, picture } from "../../support/looks.ts";
import { expect, gatewayPage, test, verdict } from "../../support/people.ts";

test("the five facts stand side by side, each with its age, under one verdict", async ({ page }, info) => {
  const said = complaints(page);
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("WhatsApp is not linked");
  await expect(page.locator("#fact-edge")).toContainText(/200/);
  await expect(page.locator("#fact-process")).toContainText(/Ready in/);
  await expect(page.locator("#fact-container")).toContainText(/Running/);
  await expect(page.locator("#fact-session")).toContainText(/Not linked/);
  await expect(page.locator("#fact-config")).toContainText(/Matches/);
  for (const fact of ["edge", "process", "container", "session", "config"]) {
    await expect(page.locator(`#fact-${fact} .age`)).toHaveText(/now|\d+ (s|min)/);
  }
  await isAccessible(page);
  await picture(page, info, "gateway");
  expect(said).toEqual([]);
});

test("the page is live: its ages count on and it says so", async ({ page }) => {
  await page.goto(gatewayPage());
  await expect(page.getByText(/live/).first()).toBeVisible();
  const age = page.locator("#fact-edge .age");
  const seen = new Set<string>();
  await expect(async () => {
    seen.add(await age.innerText());
    expect(seen.size).toBeGreaterThan(2);
  }).toPass();
});

test("no button that cannot help can be pressed, and it says why", async ({ page }) => {
  await page.goto(gatewayPage());
  const reconnect = page.getByRole("button", { name: /Reconnect/ }).first();
  await expect(reconnect).toBeDisabled();
  await expect(page.getByText(/not linked/i).first()).toBeVisible();
  await expect(page.getByRole("link", { name: "Restart", exact: true })).toBeVisible();
});
