import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { type Page, type TestInfo, expect } from "@playwright/test";

/** axe finds nothing (WCAG 2.2 AA), and nothing scrolls sideways. */
export async function isAccessible(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const said = found.violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.html).join("\n  ")}`);
  expect(said.join("\n")).toBe("");
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(sideways, "scrolls sideways").toBeLessThanOrEqual(0);
}

/** Writes pictures, light and dark, to be looked at by people; without a folder it only goes on in the dark. */
export async function picture(page: Page, info: TestInfo, name: string): Promise<void> {
  const folder = process.env.PANEL_SCREENSHOTS;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    if (folder) await page.screenshot({ path: join(folder, `${name}-${info.project.name}-${colorScheme}.png`), fullPage: true });
  }
}

/** Collects what the browser complains about: refused by policy, errors in scripts, missing files. */
export function complaints(page: Page): string[] {
  const said: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(String(error)));
  return said;
}
