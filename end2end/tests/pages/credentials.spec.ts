import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { complaints, isAccessible, picture } from "../../support/looks.ts";
import { mailServer } from "../../support/mail.ts";
import { colleague, confirmIdentity, expect, gatewayPage, test } from "../../support/people.ts";
import { facts, startPanel, stopPanel, until } from "../../support/stack.ts";

const register = () => `${facts().url}/credentials`;
const day = (before: number) => new Date(Date.now() - before * 86_400_000).toISOString().slice(0, 10);

/** Adds a credential that is to be rotated every thirty days; ends on its page. */
async function add(page: Page, title: string, owner = "otto"): Promise<void> {
  await page.goto(`${register()}/new`);
  await page.getByLabel("What it is").fill(title);
  await page.getByLabel("Where it is kept").fill("the mail server");
  await page.getByLabel("Who sees to it").fill(owner);
  await page.getByLabel("Days from one rotation to the next").fill("30");
  await page.getByLabel("How it is rotated").fill("Ask [the hoster](https://hoster.example).\n\n1. Make a `new` one\n2. End the **old** one");
  await page.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(title);
}

/** Ticks every step and notes that it was rotated then. */
async function rotated(page: Page, before: number): Promise<void> {
  for (const step of await page.getByRole("checkbox").all()) await step.check();
  await page.getByLabel("Done on (UTC)").fill(day(before));
  await page.getByRole("button", { name: "Note the rotation" }).click();
  await expect(page.getByText("The rotation is noted")).toBeVisible();
}

/** Takes the credential of this page out of the register. */
async function retire(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Take it out of the register" }).click();
  await confirmIdentity(page);
  await page.getByRole("button", { name: "Take it out" }).click();
  await expect(page).toHaveURL(register());
}

test("a credential goes from overdue to snoozed to rotated, and the gateway's page knows", async ({ page }, info) => {
  const said = complaints(page);
  const title = `SMTP password ${info.project.name}-${info.repeatEachIndex}`;
  await add(page, title);
  const standing = page.locator("#standing");
  await expect(standing).toHaveText("Age not known, due in 30 days at the latest");
  await expect(page.getByRole("link", { name: "the hoster" })).toBeVisible();
  await rotated(page, 40);
  await expect(standing).toHaveText(/Overdue by (9|10) days/);
  await isAccessible(page);
  await picture(page, info, "credential-overdue");

  await page.goto(register());
  const row = page.getByRole("row", { name: title });
  await expect(row).toContainText(/overdue by (9|10) days/);
  await isAccessible(page);
  await picture(page, info, "credentials");
  await page.goto(gatewayPage());
  const warning = page.locator("#credentials", { hasText: title });
  await expect(warning).toContainText("overdue by");
  await isAccessible(page);
  await picture(page, info, "gateway-with-a-credential-overdue");

  await warning.locator(".banner", { hasText: title }).getByRole("link", { name: "See it" }).click();
  await page.getByLabel("Why it can wait").fill("otto is away");
  await page.getByRole("button", { name: "Snooze" }).click();
  await expect(standing).toContainText("Snoozed until");
  await expect(page.getByText("“otto is away”")).toBeVisible();
  await picture(page, info, "credential-snoozed");
  await page.goto(gatewayPage());
  await expect(page.locator("#verdict")).toBeVisible();
  await expect(page.locator("#credentials")).not.toContainText(title);

  await page.goto(register());
  await page.getByRole("link", { name: title }).click();
  await rotated(page, 0);
  await expect(standing).toHaveText("Due in 30 days");
  await expect(page.getByText("Rotated by anna")).toHaveCount(2);
  await isAccessible(page);
  await picture(page, info, "credential-rotated");

  await page.goto(`${facts().url}/audit`);
  for (const act of ["added to the register:", "snoozed", "noted the rotation of"]) {
    await expect(page.getByText(`Anna ${act} ${title}`).first()).toBeVisible();
  }
  await page.goto(register());
  await page.getByRole("link", { name: title }).click();
  await retire(page);
  await expect(page.getByRole("row", { name: title })).toHaveCount(0);
  expect(said).toEqual([]);
});

test("an owner with a mail address is reminded once, however often the panel starts", async ({ page }, info) => {
  const { mails, close } = await mailServer();
  const owners = ["otto", "olga"].map((name) => `${name}-${info.project.name}-${info.repeatEachIndex}@example.org`);
  const to = () => mails.flatMap((mail) => mail.to).filter((address) => owners.includes(address));
  for (const [index, owner] of owners.entries()) {
    await add(page, `Mail key of ${owner}`, owner);
    await rotated(page, 40);
    await stopPanel();
    await startPanel();
    // The one before was mailed before: what comes now is the other one alone.
    await until("the reminder comes", () => to().length > index || undefined);
  }
  expect(to()).toEqual(owners);
  expect(mails.find((mail) => mail.to[0] === owners[0])?.text).toMatch(/Subject: Mail key of .* overdue by/s);
  await page.goto(register());
  for (const owner of owners) {
    await page.getByRole("link", { name: `Mail key of ${owner}` }).click();
    // The server has it a moment before the panel has noted so.
    await expect(async () => {
      await page.reload();
      await expect(page.getByText(`mailed to ${owner}`)).toBeVisible({ timeout: 1_000 });
    }).toPass();
    await retire(page);
  }
  await close();
});

test("what is typed wrong is told beside its field, with all that was typed", async ({ page }, info) => {
  await page.goto(`${register()}/new`);
  await page.getByLabel("What it is").fill("x");
  await page.getByLabel("How it is rotated").fill("</textarea><h1>no heading</h1>");
  const interval = page.getByLabel("Days from one rotation to the next");
  // A browser lets no such number through; somebody else's program may.
  await interval.evaluate((field) => {
    const form = (field as HTMLInputElement).form;
    if (form) form.noValidate = true;
  });
  await interval.fill("4000");
  await page.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("alert")).toHaveText("Give 1 to 3650 days, or leave it empty when no date says when.");
  await expect(interval).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("How it is rotated")).toHaveValue("</textarea><h1>no heading</h1>");
  await isAccessible(page);
  await picture(page, info, "credential-new-wrong");
});

test("what the panel knows by itself is listed, and the key leads to its rotation", async ({ page }, info) => {
  await page.goto(register());
  for (const title of ["OpenClaw API key", "WhatsApp sessions", "Device identity of the panel", "TLS certificate of the public URL", "Key that opens backups", "GitHub token"]) {
    await expect(page.getByRole("row", { name: title })).toHaveCount(1);
  }
  // The private database has no password.
  await expect(page.getByText("Password of the panel's database")).toHaveCount(0);
  await expect(page.getByRole("row", { name: "TLS certificate" })).toContainText(/due in \d+ (hours|days)/);
  await page.getByRole("link", { name: "OpenClaw API key" }).click();
  await expect(page.getByRole("link", { name: "Rotate", exact: true })).toHaveAttribute("href", "/gateways/openclaw/rotate-key");
  await isAccessible(page);
  await picture(page, info, "credential-key");
});

test("a secret link opens the calendar until it is taken back, and is in no log", async ({ browser, contextOptions, request }, info) => {
  const context = await colleague(browser, contextOptions, "marta", "manager");
  const page = await context.newPage();
  await page.goto(register());
  await page.getByRole("button", { name: /Make a link|Replace it/ }).click();
  const link = await page.locator("#link-text").innerText();
  await isAccessible(page);
  await picture(page, info, "calendar-link");
  // Programs that read calendars are not in the browser's network.
  const feed = link.replace(facts().url, `http://127.0.0.1:${facts().panelPort}`);
  const calendar = await request.get(feed);
  expect(calendar.headers()["content-type"]).toContain("text/calendar");
  expect(await calendar.text()).toContain("SUMMARY:Rotate OpenClaw API key of OpenClaw on vps-i1");
  await page.reload();
  await expect(page.locator("#link-text")).toHaveCount(0);
  await expect(page.getByText("last used")).toBeVisible();
  await page.getByRole("button", { name: "Take it back" }).click();
  await expect(page.getByText("You have no link yet.")).toBeVisible();
  expect((await request.get(feed)).status()).toBe(404);
  const token = new URL(link).pathname.split("/")[2];
  for (const log of ["panel.log", "caddy.log"]) expect(readFileSync(join(facts().folder, log), "utf8")).not.toContain(token);
  await context.close();
});

test("Prometheus reads the register at an address of its own, and nobody reads it beside the pages", async ({ request }) => {
  const metrics = await request.get(`http://127.0.0.1:${facts().metricsPort}/metrics`);
  expect(await metrics.text()).toMatch(/^panel_credential_due_seconds\{kind="gateway-key",gateway="openclaw",title="OpenClaw API key",id="[0-9a-f-]{36}"\} \d+$/m);
  const beside = await request.get(`http://127.0.0.1:${facts().panelPort}/metrics`);
  expect(await beside.text()).not.toContain("panel_credential");
});
