/** The gateway's key is changed: what is found before, the change through a crash, who still sends the old one, and the way back. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { sha256, startGitHub } from "../../support/github.mjs";
import { askForNewKey, inContainer, inRepository, key, tried } from "../../support/keys.ts";
import { isAccessible, picture } from "../../support/looks.ts";
import { anOperation, confirmIdentity, contextOf, expect, gatewayPage, test, viewerContext } from "../../support/people.ts";
import { brokenImage, containerNames, docker, envFile, facts, killPanel, sql, startPanel, until } from "../../support/stack.ts";

// One after the other: each goes on from the key that the last one left.
test.describe.configure({ mode: "serial" });

let github: Awaited<ReturnType<typeof startGitHub>>;
test.beforeAll(async () => {
  github = await startGitHub({ port: facts().githubPort });
});
test.afterAll(() => github.close());

/** Opens the gateway's socket with a key, as a workflow does it. */
function connect(given: string, agent: string): void {
  const program = `
    const { WebSocket } = require(require.resolve("ws", { paths: ["/app"] }));
    const socket = new WebSocket("ws://127.0.0.1:18789/", { headers: { "user-agent": process.argv[1] } });
    socket.on("message", (text) => {
      if (JSON.parse(text).event !== "connect.challenge") return socket.close();
      const client = { id: "gateway-client", version: "1", platform: "linux", mode: "backend" };
      const params = { minProtocol: 3, maxProtocol: 4, client, role: "operator", scopes: [], caps: [], auth: { token: process.env.GIVEN } };
      socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params }));
    });`;
  docker("exec", "--env", `GIVEN=${given}`, facts().container, "node", "-e", program, agent);
}

/** The files below a folder that hold a text, but for those named. */
function holding(folder: string, text: string, but: string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => !but.includes(path) && statSync(path, { throwIfNoEntry: false })?.isFile())
    .filter((path) => readFileSync(path).includes(text));
}

/** Notes every program's arguments until it is told to end. */
function watchPrograms(): () => string {
  let seen = "";
  const look = setInterval(() => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen += readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        // It has ended.
      }
    }
  }, 100);
  return () => {
    clearInterval(look);
    return seen;
  };
}

const said = (page: Page) => page.locator("#verdict-said");

test("what is in the way is said before anything is touched", async ({ page, browser }, info) => {
  const before = readFileSync(envFile(), "utf8");
  await askForNewKey(page);
  const doors = "HTTP at the internal URL, the socket at the internal URL, HTTP at the public URL, the socket at the public URL";
  await expect(page.locator("#checks")).toContainText(`Taken by ${doors}.`);
  await expect(page.locator("#checks")).toContainText("OPENCLAW_API_KEY in example/infra will be written. There is none yet.");
  await expect(page.locator("#checks")).toContainText("infra/docs/secrets-rotation-log.md will be committed.");
  await isAccessible(page);
  await picture(page, info, "rotate-key-question");
  writeFileSync(envFile(), `${before}OPENCLAW_API_KEY=another-one\n`);
  await page.reload();
  await expect(page.locator("#checks")).toContainText("keep one of them");
  await expect(page.getByRole("button", { name: "Rotate the key" })).toBeDisabled();
  await isAccessible(page);
  await picture(page, info, "rotate-key-in-the-way");
  writeFileSync(envFile(), before);
  const context = await viewerContext(browser, {});
  const other = await context.newPage();
  await other.goto(`${gatewayPage()}/rotate-key`);
  await expect(other.getByText("Only an admin can do this.")).toBeVisible();
  await context.close();
});

test("a gateway that does not come up brings the old key back", async ({ page }, info) => {
  test.setTimeout(240_000);
  brokenImage();
  const before = readFileSync(envFile(), "utf8");
  writeFileSync(envFile(), `${before}OPENCLAW_IMAGE=openclaw:broken\n`);
  await askForNewKey(page);
  await expect(page.locator("#also")).toContainText("openclaw:broken");
  await page.getByRole("button", { name: "Rotate the key" }).click();
  await page.waitForURL(anOperation);
  await expect(said(page)).toContainText("everything was put back", { timeout: 180_000 });
  await expect(page.locator("#steps")).toContainText("The key of before is taken again.");
  await picture(page, info, "rotate-key-put-back");
  expect(readFileSync(envFile(), "utf8")).toBe(`${before}OPENCLAW_IMAGE=openclaw:broken\n`);
  expect(await tried(key())).toBe(400);
  expect(inContainer()).toBe(key());
  expect(containerNames()).toEqual([facts().container]);
  writeFileSync(envFile(), before);
});

test("through a panel that is killed, the new key is taken, shown once, and kept nowhere else", async ({ page, browser }, info) => {
  test.setTimeout(360_000);
  const old = key();
  const before = readFileSync(envFile(), "utf8");
  await askForNewKey(page, "Somebody may know it who should not.");
  await page.getByLabel(/^Why \(/).fill("end-to-end test");
  await github.trouble({ on: "PUT /repos/", status: 403 });
  const programs = watchPrograms();
  await page.getByRole("button", { name: "Rotate the key" }).click();
  await page.waitForURL(anOperation);
  const operation = page.url();
  // As soon as the new key is in the file and the old container is gone, the panel dies.
  await until("the new container is there", () => (containerNames().length > 1 && key() !== old ? true : undefined));
  await killPanel();
  expect(key()).not.toBe(old);
  await startPanel();
  await page.goto(operation);
  await expect(said(page)).toHaveText("Rotate the API key is done", { timeout: 240_000 });
  await isAccessible(page);
  await picture(page, info, "rotate-key-done");
  const next = key();
  expect(next).toMatch(/^[0-9a-f]{64}$/);
  expect(readFileSync(envFile(), "utf8")).toBe(before.replace(old, next));
  expect(statSync(envFile()).mode & 0o777).toBe(0o600);
  expect([await tried(next), await tried(old), inContainer()]).toEqual([400, 401, next]);
  expect(containerNames()).toEqual([facts().container]);

  // What GitHub refused is told, does not undo a good rotation, and is tried again.
  await expect(page.locator("#verdict")).toContainText("The secret on GitHub still has the old key");
  await page.getByRole("link", { name: "Hand the new key over" }).click();
  await expect(page.locator("#repository")).toContainText("gh secret set OPENCLAW_API_KEY");
  await github.trouble({});
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.locator("#repository")).toContainText("GitHub says that it was written at");
  expect((await github.received()).secrets.OPENCLAW_API_KEY.sha256).toBe(sha256(next));
  expect(inRepository("log", "-1", "--format=%an %s")).toContain("OpenClaw Panel");
  expect(inRepository("show", "HEAD:docs/secrets-rotation-log.md")).toContain(operation.split("/").at(-1));
  expect(inRepository("status", "--porcelain")).toBe("");

  // Somebody was forgotten.
  connect(old, "n8n/1.2");
  await page.reload();
  await expect(page.locator("#consumers")).toContainText("n8n/1.2");
  await expect(page.locator("#consumers")).toContainText("Not in the register.");
  await page.getByLabel("What it is").fill("n8n, workflow Orders");
  await page.getByLabel("Its address, or a part of its user agent").fill("n8n");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.locator("#verdict")).toContainText("n8n, workflow Orders at 127.0.0.1 still uses the old key");
  await expect(page.getByText("a pairing outlives a change of the key")).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "new-key");
  await page.getByRole("button", { name: "It has the new key" }).click();
  await expect(page.locator("#verdict")).toContainText("1 of 1 consumer updated");
  await expect(page.locator("#verdict")).not.toContainText("still uses the old key");

  // Shown once, veiled but while the button is held.
  await page.getByRole("button", { name: "Show the key once" }).click();
  const secret = page.locator("#new-key");
  await expect(secret).toHaveAttribute("data-veiled", "");
  await isAccessible(page);
  await picture(page, info, "new-key-veiled");
  const hold = page.getByRole("button", { name: "Hold to see it" });
  await hold.hover();
  await page.mouse.down();
  await expect(secret).not.toHaveAttribute("data-veiled");
  expect(await secret.textContent()).toBe(next);
  await page.mouse.up();
  await expect(secret).toHaveAttribute("data-veiled", "");
  await page.getByRole("button", { name: "I stored it in .env.local" }).click();
  await expect(page.locator("#copy")).toContainText("Stored.");
  await expect(secret).toHaveCount(0);
  await page.goBack();
  await expect(page.locator("body")).not.toContainText(next);

  // Nowhere else: not on a page, not in a file or the database, not in a program's arguments.
  const phone = await contextOf(browser, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  const small = await phone.newPage();
  for (const place of [`${operation.replace(/.*\/operations/, "/operations")}`, "/audit", "/gateways/openclaw", "/gateways/openclaw/operations", "/gateways/openclaw/logs", `/gateways/openclaw/rotate-key/${operation.split("/").at(-1)}`]) {
    const answer = await small.goto(`${facts().url}${place}`);
    const text = (await answer?.text()) ?? "";
    for (const secret of [old, next]) expect(text, place).not.toContain(secret);
  }
  await picture(small, info, "new-key-phone");
  await phone.close();
  const seen = programs();
  for (const secret of [old, next]) {
    expect(seen.includes(secret)).toBe(false);
    expect(holding(facts().folder, secret, [envFile()])).toEqual([]);
  }
  expect(sql("SELECT count(*) FROM audit_events WHERE action = 'reveal-key' AND outcome = 'succeeded'")).toBe("1");
});
