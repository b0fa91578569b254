import { carryOut, contextOf, expect, gatewayPage, test, verdict } from "../../support/people.ts";
import { docker, facts, panel } from "../../support/stack.ts";

const startedAt = () => docker("inspect", "--format", "{{.State.StartedAt}}", facts().container);

test("restart: the steps move on the page, and everybody else sees it too", async ({ page, browser, contextOptions }) => {
  const before = startedAt();
  const watcher = await (await contextOf(browser, contextOptions)).newPage();
  await watcher.goto(gatewayPage());
  await carryOut(page, "Restart");
  await expect(verdict(watcher)).toContainText("Restart is running");
  await expect(page.locator("#verdict-said")).toHaveText("Restart is done", { timeout: 150_000 });
  expect(startedAt()).not.toBe(before);
  await expect(watcher.locator("#incidents")).toContainText("planned: Restart by anna");
  await expect(verdict(watcher)).not.toContainText("Restart is running");
  await watcher.context().close();
});

test("what an operation causes is planned, and stands in the audit trail", async () => {
  const events = panel("audit", "list", "--json").split("\n").map((line) => JSON.parse(line));
  const restarts = events.filter((event) => event.action === "restart");
  expect(restarts.map((event) => event.outcome)).toContain("requested");
  expect(restarts.map((event) => event.outcome)).toContain("succeeded");
  const asked = restarts.find((event) => event.outcome === "requested");
  expect(asked).toMatchObject({ gateway: "openclaw", reason: "end-to-end test", actor: { name: "anna" } });
});

test("the command line tells the same truth as the page", async () => {
  let said = "";
  try {
    said = panel("status", "--json");
  } catch (error) {
    // The gateway is not linked, so the exit code says that no messages get through.
    said = (error as { stdout: string }).stdout;
  }
  const status = JSON.parse(said);
  expect(status).toMatchObject({ gateway: "openclaw", verdict: "down" });
  expect(Object.keys(status.facts)).toEqual(expect.arrayContaining(["edge", "process", "container", "session", "config"]));
  for (const fact of Object.values(status.facts) as { state: string; age_ms: number }[]) {
    expect(["ok", "warn", "down", "unknown"]).toContain(fact.state);
    expect(fact.age_ms).toBeGreaterThanOrEqual(0);
  }
});
