/** A manager reads the audit trail, signs off what is fine and asks about the rest; whoever is asked answers in place. */
import { isAccessible, picture } from "../../support/looks.ts";
import { colleague, expect, test, viewerContext } from "../../support/people.ts";
import { facts, panel } from "../../support/stack.ts";

test("what was done is filtered, signed off, asked about and answered", async ({ browser, contextOptions }, info) => {
  const name = `reviewed-${info.project.name}-${info.repeatEachIndex}`;
  panel("user", "add", name, "--role", "viewer", "--one-time-password-file", `${facts().folder}/${name}.password`);
  panel("user", "disable", name);
  const mia = await colleague(browser, contextOptions, "mia", "manager");
  const page = await mia.newPage();

  await page.goto(`${facts().url}/audit?text=${name}`);
  await expect(page.getByRole("link", { name: new RegExp(`kept out ${name}`) })).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "audit-filtered");
  await page.getByText("Filter and search").click();
  await expect(page.getByLabel("Words of target, reason, note or name")).toHaveValue(name);
  await isAccessible(page);
  await picture(page, info, "audit-filter");
  await page.getByLabel("Outcome").selectOption("failed");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page.getByText("No event fits")).toBeVisible();
  await page.getByRole("link", { name: "Take off: Failed" }).click();

  await page.getByRole("button", { name: new RegExp(`Sign off: .* kept out ${name}`) }).click();
  await expect(page.getByText("seen by mia")).toBeVisible();

  // The page of one event: a question to vera, who may look at nothing of the trail but that.
  await viewerContext(browser, contextOptions).then((context) => context.close());
  await page.getByRole("link", { name: new RegExp(`added ${name}`) }).click();
  await expect(page.getByRole("heading", { name: "In the chain" })).toBeVisible();
  await page.getByRole("radio", { name: /^Question/ }).check();
  await page.getByLabel("Who is asked").selectOption({ label: "vera" });
  await page.getByRole("button", { name: "Add the review" }).click();
  await expect(page.getByText("Write what you want to know.")).toBeVisible();
  await isAccessible(page);
  await page.getByLabel("Comment").fill("Who is this?");
  await page.getByRole("button", { name: "Add the review" }).click();
  await expect(page.getByText("mia: Question to vera")).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "audit-event");

  const vera = await viewerContext(browser, contextOptions);
  const asked = await vera.newPage();
  await asked.goto(`${facts().url}/account`);
  await asked.getByRole("link", { name: "Answer" }).click();
  await isAccessible(asked);
  await picture(asked, info, "audit-question");
  await asked.getByLabel("Your answer").fill("A test.");
  await asked.getByRole("button", { name: "Answer" }).click();
  await expect(asked.getByText("“A test.”")).toBeVisible();
  await asked.goto(`${facts().url}/audit`);
  await expect(asked.getByText("The audit trail is for managers and admins.")).toBeVisible();
  await vera.close();

  await page.goto(`${facts().url}/audit/review`);
  await expect(page.getByText("somebody more may sign in").first()).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "audit-review");
  await mia.close();
});

test("a month is reported, and events are printed with a signed checkpoint", async ({ browser, contextOptions }, info) => {
  const mia = await colleague(browser, contextOptions, "mia", "manager");
  const page = await mia.newPage();
  const present = new Date().toISOString().slice(0, 7);

  await page.goto(`${facts().url}/audit/report?month=${present}`);
  await expect(page.getByRole("heading", { name: /Report of/ })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Who did what" })).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "audit-report");
  await page.goto(`${facts().url}/audit/report?month=octember`);
  await expect(page.getByText("Give a month as 2026-10.")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Month" })).toHaveValue("octember");
  await isAccessible(page);

  await page.goto(`${facts().url}/audit?what=add-person`);
  await page.getByRole("link", { name: "Print", exact: true }).click();
  await expect(page.getByText("mia (manager)", { exact: true })).toBeVisible();
  await expect(page.getByText("Signature (Ed25519)")).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "audit-print");
  await page.goto(`${facts().url}/audit?what=export-audit`);
  await expect(page.getByRole("link", { name: /^Mia exported the audit trail what add-person/ }).first()).toBeVisible();
  await mia.close();
});
