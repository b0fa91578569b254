/** The panel's own identity at the gateway is renewed: by the button through a crash, and by the command line beside a panel that serves. */
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAccessible, picture } from "../../support/looks.ts";
import { anOperation, confirmIdentity, expect, gatewayPage, test, viewerContext } from "../../support/people.ts";
import { docker, facts, killPanel, panel, sql, startPanel, until } from "../../support/stack.ts";

// One after the other: each goes on from the identity that the last one left.
test.describe.configure({ mode: "serial" });

const folder = () => join(facts().folder, "data/devices/openclaw");
const files = () => readdirSync(folder()).sort();
const question = () => `${gatewayPage()}/operations/new/rotate-device`;

interface Device {
  deviceId: string;
  displayName?: string;
  connected?: boolean;
}

/** The panel's devices in the gateway's own list, those that only ask to be in it, too; the command line's device is another one. */
function listed(): Device[] {
  const list = JSON.parse(docker("exec", facts().container, "node", "dist/index.js", "devices", "list", "--json"));
  return [...list.paired, ...list.pending].filter((device: Device) => device.displayName === "OpenClaw Panel");
}

const known = () => listed().map((device) => device.deviceId);
/** Waits until the panel is connected as the one device that it has. */
const connected = () => until("the panel is connected", () => (listed().every((device) => device.connected) ? true : undefined));
/** Waits until the new identity is made and the gateway is asked to know it, which takes some seconds. */
const pairing = (operation: string) =>
  until("the new identity is being paired", () => {
    const begun = `operation_id = '${operation.split("/").at(-1)}' AND event->>'event' = 'started' AND event->>'step' = 'pair'`;
    return sql(`SELECT count(*) FROM operation_events WHERE ${begun}`) === "0" ? undefined : true;
  });
const startedAt = () => docker("inspect", "--format", "{{.State.StartedAt}}", facts().container);

test("through a panel that is killed, a new identity is paired and the old one refused", async ({ page, browser }, info) => {
  test.setTimeout(300_000);
  const [old, ...others] = known();
  expect(others).toEqual([]);
  expect(files()).toEqual(["present.json"]);
  const before = readFileSync(join(folder(), "present.json"), "utf8");
  const began = startedAt();

  await page.goto(`${facts().url}/credentials`);
  await page.getByRole("link", { name: "Device identity of the panel" }).click();
  const register = page.url();
  await isAccessible(page);
  await picture(page, info, "credential-device");
  await page.getByRole("link", { name: "Renew", exact: true }).click();
  await confirmIdentity(page);
  await expect(page.getByRole("heading", { name: "Renew the panel's device identity?" })).toBeVisible();
  await isAccessible(page);
  await picture(page, info, "rotate-device-question");
  await page.getByLabel("Somebody may know it who should not.").check();
  await page.getByLabel(/^Why \(/).fill("end-to-end test");
  await page.getByRole("button", { name: "Renew the identity" }).click();
  await page.waitForURL(anOperation);
  const operation = page.url();

  // The panel dies while the gateway approves the new device.
  await pairing(operation);
  await killPanel();
  await startPanel();
  await page.goto(operation);
  await expect(page.locator("#verdict-said")).toHaveText("Renew the panel's device identity is done", { timeout: 180_000 });
  const [next, ...more] = known();
  expect(more).toEqual([]);
  expect(next).not.toBe(old);
  const short = (id: string) => id.slice(0, 12);
  const steps = page.locator("#steps");
  for (const said of [
    `The gateway knows the panel as device ${short(old)}.`,
    `The new one is device ${short(next)}.`,
    `The gateway lets device ${short(next)} in and tells it the accounts.`,
    `The panel is connected as device ${short(next)}.`,
    `The gateway has forgotten device ${short(old)}.`,
    `The gateway refuses device ${short(old)}.`,
  ]) {
    await expect(steps).toContainText(said);
  }
  await isAccessible(page);
  await picture(page, info, "rotate-device-done");

  // One file, for the panel alone; the gateway was not touched.
  expect(files()).toEqual(["present.json"]);
  expect(statSync(join(folder(), "present.json")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder(), "present.json"), "utf8")).not.toBe(before);
  expect(startedAt()).toBe(began);
  await connected();

  // The register and the audit trail say so.
  await page.goto(register);
  await expect(page.getByText("Rotated by anna")).toBeVisible();
  await expect(page.getByText(`fingerprint ${short(next)}`)).toBeVisible();
  await expect(page.locator("dl.pairs")).toContainText("Age");
  await expect(page.locator("dl.pairs")).not.toContainText("not known");
  const id = operation.split("/").at(-1);
  const audited = (what: string) => Number(sql(`SELECT count(*) FROM audit_events WHERE ${what} AND operation_id = '${id}'`));
  // The panel may have died before it could write down that its approval succeeded.
  expect(audited("action = 'pair-device' AND outcome = 'requested'")).toBeGreaterThan(0);
  expect(audited("action = 'unpair-device' AND outcome = 'succeeded'")).toBeGreaterThan(0);
  const secret = JSON.parse(before).secret;
  for (const log of ["panel.log", "caddy.log"]) expect(readFileSync(join(facts().folder, log), "utf8")).not.toContain(secret);

  const context = await viewerContext(browser, {});
  const other = await context.newPage();
  await other.goto(question());
  await expect(other.getByText("Only an admin can do this.")).toBeVisible();
  await context.close();
});

test("a new identity that is lost on the way is taken out of the gateway again, and the old one goes on", async ({ page }, info) => {
  test.setTimeout(300_000);
  const [old] = known();
  const before = readFileSync(join(folder(), "present.json"), "utf8");
  await page.goto(question());
  await confirmIdentity(page);
  await page.getByRole("button", { name: "Renew the identity" }).click();
  await page.waitForURL(anOperation);
  await pairing(page.url());
  await killPanel();
  for (const name of files().filter((name) => name.startsWith("new-"))) rmSync(join(folder(), name));
  await startPanel();
  await page.reload();
  await expect(page.locator("#verdict-said")).toContainText("failed, and everything was put back", { timeout: 180_000 });
  await expect(page.locator("#verdict")).toContainText("is not in this panel's data folder");
  await expect(page.locator("#steps")).toContainText("The new identity is deleted.");
  await isAccessible(page);
  await picture(page, info, "rotate-device-put-back");
  expect(files()).toEqual(["present.json"]);
  expect(readFileSync(join(folder(), "present.json"), "utf8")).toBe(before);
  expect(known()).toEqual([old]);
  await connected();
});

test("by the command line, beside a panel that serves: that one goes on with the new identity", async () => {
  test.setTimeout(180_000);
  const [old] = known();
  // The panel pairs itself where the gateway does not know it: it must not do so for the old device.
  const byItself = () => sql("SELECT count(*) FROM audit_events WHERE action = 'pair-device' AND operation_id IS NULL");
  const before = byItself();
  const said = panel("operation", "start", "rotate-device", "--cause", "person-left", "--reason", "end-to-end test", "--wait");
  expect(said).toContain("Renew the panel's device identity: done.");
  const [next, ...more] = known();
  expect(more).toEqual([]);
  expect(next).not.toBe(old);
  expect(said).toContain(`The gateway refuses device ${old.slice(0, 12)}.`);
  expect(files()).toEqual(["present.json"]);
  // The panel that serves was cut off as the old device, and is there again as the new one.
  await connected();
  expect(known()).toEqual([next]);
  expect(byItself()).toBe(before);
});
