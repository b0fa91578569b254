/** The gateway's key, as tests of its rotation look at it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Page, expect } from "@playwright/test";
import { confirmIdentity, gatewayPage } from "./people.ts";
import { docker, envFile, facts } from "./stack.ts";

/** git in the infrastructure's repository. */
export const inRepository = (...command: string[]) => execFileSync("git", ["-C", join(facts().folder, "infra"), ...command], { encoding: "utf8" });
/** In `.env`. */
export const key = () => /^OPENCLAW_API_KEY=(.*)$/m.exec(readFileSync(envFile(), "utf8"))?.[1] ?? "";
/** What the container was made with. */
export const inContainer = () =>
  /^OPENCLAW_GATEWAY_TOKEN=(.*)$/m.exec(docker("inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", facts().container))?.[1];

/** 400 for a key that is taken, 401 for one that is not. */
export async function tried(given: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${facts().gatewayPort}/tools/invoke`, {
    method: "POST",
    headers: { authorization: `Bearer ${given}`, "content-type": "application/json" },
    body: "{}",
  });
  return answer.status;
}

/** The page of the rotation, with the reason chosen. */
export async function askForNewKey(page: Page, why = "Its time is over."): Promise<void> {
  await page.goto(`${gatewayPage()}/rotate-key`);
  if (page.url().includes("/account/confirm")) await confirmIdentity(page);
  await expect(page.getByRole("heading", { name: "What the panel found" })).toBeVisible();
  await page.getByLabel(why).check();
}
