/** A gateway without its WhatsApp plugin: named, and the plugin is installed from the panel. */
import { join } from "node:path";
import { isAccessible, picture } from "../../support/looks.ts";
import { anOperation, expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { docker, facts, root } from "../../support/stack.ts";

const inContainer = (...command: string[]) => docker("exec", facts().container, ...command);

test("a plugin that is missing is named, and installed by the gateway's own command", async ({ page }, info) => {
  test.setTimeout(420_000);
  // The registry that the gateway is told of lives in its container: nothing leaves it.
  docker("cp", join(root, "end2end/support/registry.mjs"), `${facts().container}:/tmp/registry.mjs`);
  inContainer("sh", "-c", "rm -rf /tmp/packages && cp -a /home/node/.openclaw/npm/projects/*/node_modules /tmp/packages");
  inContainer("sh", "-c", "echo registry=http://127.0.0.1:4873 >/home/node/.npmrc");
  inContainer("node", "dist/index.js", "plugins", "uninstall", "whatsapp", "--force");
  docker("restart", facts().container);
  docker("exec", "--detach", facts().container, "node", "/tmp/registry.mjs", "/tmp/packages", "/tmp/packed", "4873");
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("the WhatsApp plugin is not installed", { timeout: 120_000 });
  await isAccessible(page);
  await picture(page, info, "plugin-missing");
  await page.locator(".sticky").getByRole("link", { name: "Install the plugin" }).click();
  await expect(page.getByText("fetches the plugin of its own version")).toBeVisible();
  await picture(page, info, "plugin-question");
  await page.getByRole("button", { name: "Install the plugin" }).click();
  await page.waitForURL(anOperation);
  await expect(page.locator("#verdict-said")).toHaveText("Install the WhatsApp plugin is done", { timeout: 300_000 });
  await picture(page, info, "plugin-done");
  await page.goto(gatewayPage());
  await expect(verdict(page)).not.toContainText("plugin", { timeout: 60_000 });
  inContainer("rm", "-rf", "/home/node/.npmrc", "/tmp/packages", "/tmp/packed");
});
