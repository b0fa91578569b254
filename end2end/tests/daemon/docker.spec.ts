/** Docker's daemon goes away and comes back, and with it whatever runs on it: nothing else may run beside this. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { scriptedStack } from "../../support/scripted.ts";
import { gatewayRuns, root } from "../../support/stack.ts";

scriptedStack();

const setup = (script: string, ...args: string[]) => execFileSync(join(root, ".setup", script), args, { encoding: "utf8" });

test("Docker's daemon stopped and started: the page says that it is blind there, then sees again", async ({ page }) => {
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through");
  setup("test-docker.sh", "stop");
  try {
    await expect(page.locator("#fact-container")).toContainText(/Docker/, { timeout: 60_000 });
    await expect(page.locator("#fact-container")).toContainText("Cannot be seen");
  } finally {
    setup("test-docker.sh", "start");
  }
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 120_000 });
  expect(gatewayRuns()).toBe(true);
});
