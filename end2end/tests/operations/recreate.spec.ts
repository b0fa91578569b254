import { readFileSync, writeFileSync } from "node:fs";
import { carryOut, expect, gatewayPage, test } from "../../support/people.ts";
import { containerNames, docker, envFile, facts } from "../../support/stack.ts";

const id = () => docker("inspect", "--format", "{{.Id}}", facts().container);

test("recreate: shows what differs, applies it, keeps the volume and the name", async ({ page }) => {
  const before = id();
  const volumes = docker("inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", facts().container);
  const env = readFileSync(envFile(), "utf8");
  writeFileSync(envFile(), `${env}OPENCLAW_PUBLIC_URL=${facts().gatewayUrl}\n`);
  await page.goto(`${gatewayPage()}/operations/new/recreate`);
  await expect(page.getByRole("row", { name: /OPENCLAW_CONTROL_UI_ORIGIN/ })).toBeVisible();
  await carryOut(page, "Recreate");
  await expect(page.locator("#verdict-said")).toHaveText("Recreate is done", { timeout: 170_000 });
  expect(id()).not.toBe(before);
  expect(containerNames()).toEqual([facts().container]);
  expect(docker("inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", facts().container)).toBe(volumes);
  await page.goto(gatewayPage());
  await expect(page.locator("#fact-config")).toContainText("Matches", { timeout: 90_000 });
});
