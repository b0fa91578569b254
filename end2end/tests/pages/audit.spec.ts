/** The audit trail says of itself whether it is whole. */
import { isAccessible, picture } from "../../support/looks.ts";
import { colleague, expect, test, viewerContext } from "../../support/people.ts";
import { facts, panel, sql } from "../../support/stack.ts";

/** As somebody who owns the database could do it, and as nobody else can. */
const writeAnew = (event: string, reason: string) =>
  sql(`ALTER TABLE audit_events DISABLE TRIGGER audit_events_are_append_only;
       UPDATE audit_events SET reason = ${reason} WHERE sequence = ${event};
       ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_are_append_only`);

/** What the command line says of a chain that is not whole: its exit status is not 0. */
function onCommandLine(): string {
  try {
    panel("audit", "verify");
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  }
  throw new Error("the command line calls the chain whole");
}

test("an event that was written anew is found and named, and the command line says the same", async ({ page }, info) => {
  const check = async () => {
    await page.goto(`${facts().url}/audit`);
    await page.getByRole("button", { name: "Verify now" }).click();
    return page.getByRole("status").first();
  };
  await expect(await check()).toContainText(/The chain of [\d,]+ events is whole\./);
  await isAccessible(page);
  await picture(page, info, "audit-whole");
  expect(panel("audit", "verify")).toContain("is whole");
  const event = sql("SELECT sequence FROM audit_events WHERE reason IS NOT NULL ORDER BY sequence LIMIT 1");
  const reason = sql(`SELECT quote_literal(reason) FROM audit_events WHERE sequence = ${event}`);
  writeAnew(event, "'another reason'");
  try {
    await expect(await check()).toContainText(`The chain is broken. Event ${event} was altered: its content does not match its hash.`);
    await isAccessible(page);
    await picture(page, info, "audit-broken");
    expect(onCommandLine()).toContain(`Event ${event} was altered`);
  } finally {
    writeAnew(event, reason);
  }
  await expect(await check()).toContainText("is whole");
});

test("a filter is kept by a name, and one's own only", async ({ page, browser, contextOptions }, info) => {
  const name = `Refused, ${info.project.name} ${info.repeatEachIndex}`;
  await page.goto(`${facts().url}/audit?outcome=denied&span=week`);
  await page.getByText("Save this view").click();
  await page.getByLabel("Name of the view").fill(name);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const views = page.getByRole("navigation", { name: "Saved views" });
  await expect(views.getByRole("link", { name })).toHaveAttribute("aria-current", "true");
  await isAccessible(page);
  await picture(page, info, "audit-views");
  await page.goto(`${facts().url}/audit`);
  await views.getByRole("link", { name }).click();
  await expect(page).toHaveURL(/outcome=denied/);
  await expect(page).toHaveURL(/span=week/);

  const context = await colleague(browser, contextOptions, "mia", "manager");
  const other = await context.newPage();
  await other.goto(`${facts().url}/audit`);
  await expect(other.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(other.getByRole("link", { name })).toHaveCount(0);
  await context.close();

  await page.getByRole("button", { name: `Delete the view “${name}”` }).click();
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});

test("whoever may not read the trail may not have it checked", async ({ browser, contextOptions }) => {
  const context = await viewerContext(browser, contextOptions);
  const page = await context.newPage();
  await page.goto(`${facts().url}/audit`);
  await expect(page.getByText("The audit trail is for managers and admins.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Verify now" })).toHaveCount(0);
  await context.close();
});
