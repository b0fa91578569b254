import { expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { scriptedStack } from "../../support/scripted.ts";
import { play } from "../../support/stack.ts";

scriptedStack();

/** What the page says of each kind of nonsense; it never takes it for a working gateway. */
for (const [mode, process] of [
  ["garbage", "Wrong answer"],
  ["half", "No answer"],
  ["flood", "Wrong answer"],
  ["mute", "No answer"],
] as const) {
  test(`a gateway that answers with ${mode}: the page says which part is blind, and the panel goes on`, async ({ page }) => {
    await page.goto(gatewayPage());
    await expect(verdict(page)).toContainText("Working: Messages get through");
    play(mode);
    await expect(verdict(page)).toContainText(/Degraded:|Down:/, { timeout: 60_000 });
    await expect(page.locator("#fact-process")).toContainText(process, { timeout: 30_000 });
    await expect(page.locator("#fact-container")).toContainText("Running");
    await page.reload();
    await expect(verdict(page)).not.toContainText("Working:");
    play("good");
    await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 90_000 });
  });
}
