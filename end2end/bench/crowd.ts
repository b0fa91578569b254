/** Many signed-in people, made through the panel's own doors. */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { facts, panel } from "../support/stack.ts";

export const dashboard = "/gateways/openclaw";

/** Signs in over the panel's own port, as Caddy would for somebody at `address`. */
export async function cookieOf(name: string, password: string, address: string): Promise<string> {
  const body = new URLSearchParams({ name, password }).toString();
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "content-length": Buffer.byteLength(body),
    origin: facts().url,
    host: new URL(facts().url).host,
    "x-forwarded-for": address,
  };
  return new Promise((done, failed) => {
    const asked = request({ host: "127.0.0.1", port: facts().panelPort, path: "/sign-in", method: "POST", headers }, (answer) => {
      answer.resume();
      const cookie = answer.headers["set-cookie"]?.[0]?.split(";")[0];
      if (cookie && !answer.headers.location?.includes("sign-in")) done(cookie);
      else failed(new Error(`${name} could not sign in: ${answer.statusCode} ${answer.headers.location}`));
    });
    asked.on("error", failed);
    asked.end(body);
  });
}

const roles = ["viewer", "manager", "operator", "admin"];

/** Cookies of so many people, all roles among them. */
export async function crowd(size: number): Promise<string[]> {
  const cookies: string[] = [];
  for (let i = 0; i < size; i++) {
    const name = `person-${i}`;
    const file = join(facts().folder, `${name}.password`);
    panel("user", "add", name, "--role", roles[i % roles.length] ?? "viewer", "--one-time-password-file", file);
    cookies.push(await cookieOf(name, readFileSync(file, "utf8").trim(), `127.0.1.${i % 250}`));
  }
  return cookies;
}
