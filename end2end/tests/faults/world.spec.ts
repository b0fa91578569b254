import { carryOut, expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { containerNames, docker, facts } from "../../support/stack.ts";

test("a killed gateway is on the open page at once, and Docker's restart is seen", async ({ page }) => {
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("WhatsApp is not linked");
  docker("kill", "--signal", "KILL", facts().container);
  await expect(page.locator("#fact-container")).toContainText(/Exited with 137|Being started again|Running under a minute/);
  // A container killed through Docker stays down: Docker takes it for a wish.
  await expect(verdict(page)).toContainText("the gateway is stopped");
  await carryOut(page, "Start");
  await expect(page.locator("#verdict-said")).toHaveText("Start is done", { timeout: 170_000 });
});

test("a gateway killed with -9, then recreated: the fixed host name spares it the owner lease", async ({ page }) => {
  docker("kill", "--signal", "KILL", facts().container);
  await carryOut(page, "Recreate");
  await expect(page.locator("#verdict-said")).toHaveText("Recreate is done", { timeout: 170_000 });
  await expect(page.locator("#steps")).not.toContainText("owner lease");
  expect(containerNames()).toEqual([facts().container]);
});
