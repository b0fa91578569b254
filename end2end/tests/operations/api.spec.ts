/** A program acts by a token: looks, starts, stops, reads the trail, and does nothing that asks a person. */
import type { APIRequestContext } from "@playwright/test";
import { isAccessible, picture } from "../../support/looks.ts";
import { confirmIdentity, expect, test } from "../../support/people.ts";
import { facts, sql } from "../../support/stack.ts";

/** Past Caddy: the browser alone has its network. */
const root = () => `http://127.0.0.1:${facts().panelPort}/api/v1`;
const by = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function ended(request: APIRequestContext, token: string, id: string) {
  let operation: { outcome: string | null; steps: { state: string }[]; asked_by: string } | undefined;
  await expect(async () => {
    operation = await (await request.get(`${root()}/operations/${id}`, by(token))).json();
    expect(operation?.outcome).not.toBeNull();
  }).toPass({ timeout: 170_000 });
  return operation;
}

test("a token is made on the page, used by a program, and taken back", async ({ page, request }, info) => {
  await page.goto(`${facts().url}/account/tokens`);
  await confirmIdentity(page);
  await isAccessible(page);
  await page.getByLabel("What it is for").fill("deploy script");
  await page.getByLabel("As", { exact: true }).selectOption("operator");
  await page.getByLabel("On", { exact: true }).selectOption("openclaw");
  await page.getByRole("button", { name: "Make" }).click();
  const token = (await page.locator("#token-text").textContent()) ?? "";
  expect(token).toMatch(/^ocp_[0-9a-f]{64}$/);
  await isAccessible(page);
  await picture(page, info, "token-made");

  expect((await request.get(`${root()}/gateways`)).status()).toBe(401);
  expect((await request.get(`${root()}/gateways`, by("ocp_0000"))).status()).toBe(401);
  const listed = await (await request.get(`${root()}/gateways`, by(token))).json();
  expect(listed.map((one: { id: string }) => one.id)).toEqual(["openclaw"]);
  expect(Object.keys(listed[0].facts).sort()).toEqual(["config", "container", "edge", "process", "session"]);
  expect((await request.get(`${root()}/gateways/other`, by(token))).status()).toBe(404);

  // The same key again is the same operation, not a second restart.
  const asked = { ...by(token), data: { kind: "restart", reason: "by a program" } };
  const keyed = { ...asked, headers: { ...asked.headers, "idempotency-key": "deploy-7" } };
  const first = await request.post(`${root()}/gateways/openclaw/operations`, keyed);
  expect(first.status()).toBe(202);
  const { id } = await first.json();
  const second = await request.post(`${root()}/gateways/openclaw/operations`, keyed);
  expect((await second.json()).id).toBe(id);
  const busy = await request.post(`${root()}/gateways/openclaw/operations`, asked);
  expect(busy.status()).toBe(409);
  expect(busy.headers()["content-type"]).toContain("application/problem+json");
  const done = await ended(request, token, id);
  expect(done?.outcome).toBe("succeeded");
  expect(done?.steps.length).toBeGreaterThan(1);
  expect(sql(`SELECT DISTINCT actor ->> 'token' FROM audit_events WHERE operation_id = '${id}' AND outcome = 'requested'`)).toBe("deploy script");

  // What asks people to confirm who they are is not for programs; what the role does not allow is not either.
  const unlink = await request.post(`${root()}/gateways/openclaw/operations`, { ...by(token), data: { kind: "unlink", account: "default" } });
  expect(unlink.status()).toBe(422);
  expect((await unlink.json()).code).toBe("invalid");
  expect((await request.get(`${root()}/audit?format=jsonl`, by(token))).status()).toBe(403);
  const wrong = await request.post(`${root()}/gateways/openclaw/operations`, { ...by(token), data: { kind: "restart", other: 1 } });
  expect(wrong.status()).toBe(422);

  await page.goto(`${facts().url}/account/tokens`);
  // The restart may have taken the last of the ten minutes.
  await confirmIdentity(page);
  await page.getByRole("button", { name: "Take back deploy script" }).click();
  await expect(page.getByText("taken back", { exact: true })).toBeVisible();
  await picture(page, info, "token-taken-back");
  expect((await request.get(`${root()}/gateways`, by(token))).status()).toBe(401);
});

test("the document describes every path, and a cookie opens none of them", async ({ page, request }) => {
  const document = await (await request.get(`${root()}/openapi.json`)).json();
  expect(Object.keys(document.paths)).toContain("/api/v1/gateways/{gateway}/operations");
  await page.goto(`${facts().url}/account`);
  expect(await page.evaluate(async () => (await fetch("/api/v1/gateways")).status)).toBe(401);
});
