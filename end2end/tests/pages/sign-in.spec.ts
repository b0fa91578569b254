import { expect, test } from "@playwright/test";
import { complaints, isAccessible, picture } from "../../support/looks.ts";
import { known } from "../../support/people.ts";
import { facts } from "../../support/stack.ts";

test.beforeEach(({ context }) => known(context));

test("a page asks for a sign-in and comes back to where one was going", async ({ page }, info) => {
  const said = complaints(page);
  await page.goto(`${facts().url}/gateways/openclaw/operations`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await isAccessible(page);
  await picture(page, info, "sign-in");
  await page.getByLabel("Name").fill(facts().user);
  await page.getByLabel("Password").fill(facts().password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).toHaveURL(/\/gateways\/openclaw\/operations$/);
  expect(said).toEqual([]);
});

test("a wrong password and an unknown name get the same answer", async ({ page }) => {
  const answers: string[] = [];
  for (const name of [`${facts().user}`, "nobody-of-that-name"]) {
    await page.goto(`${facts().url}/sign-in`);
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password").fill("wrong-password-here");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    answers.push(await page.getByRole("alert").innerText());
  }
  expect(answers[0]).toBe(answers[1]);
  expect(answers[0]).toContain("Name or password is not right");
});

test("signing out ends the session", async ({ page }) => {
  const { url, user, password } = facts();
  await page.goto(`${url}/sign-in`);
  await page.getByLabel("Name").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.locator("#verdict")).toBeVisible();
  const menu = page.getByText("Menu", { exact: true });
  if (await menu.isVisible()) await menu.click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await page.goto(`${url}/gateways/openclaw`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
});

test("cookies are bound to this host and to HTTPS, and nothing may frame or script the page", async ({ page, context }) => {
  const answer = await page.goto(`${facts().url}/sign-in`);
  await page.getByLabel("Name").fill(facts().user);
  await page.getByLabel("Password").fill(facts().password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.locator("#verdict")).toBeVisible();
  const cookie = (await context.cookies()).find((one) => one.name === "__Host-panel");
  expect(cookie).toMatchObject({ secure: true, httpOnly: true, sameSite: "Lax", path: "/" });
  const headers = answer?.headers() ?? {};
  expect(headers["content-security-policy"]).toContain("default-src 'none'");
  expect(headers["content-security-policy"]).not.toContain("unsafe-inline");
  expect(headers["cache-control"]).toBe("no-store");
});

test("a change from another origin is refused", async ({ request }) => {
  for (const origin of ["https://evil.example", "null", undefined]) {
    const answer = await request.post(`http://127.0.0.1:${facts().panelPort}/sign-in`, {
      headers: origin ? { origin } : {},
      form: { name: facts().user, password: facts().password },
    });
    expect(answer.status(), String(origin)).toBe(403);
  }
});
