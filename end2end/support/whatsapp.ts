/** WhatsApp's stand-in (server and phone) beside the gateway, and the phone's camera. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import jsqr from "jsqr";
import { PNG } from "pngjs";
import { expect, gatewayPage, unlinked, verdict } from "./people.ts";
import { composeFile, docker, facts, freePort, panel, root, until } from "./stack.ts";

const name = () => `${facts().project}-whatsapp`;

let control = 0;

/** The host's own daemon drops what it does not know: containers of the tests' network may talk to one another. */
function letThrough(network: string): void {
  const bridge = `br-${docker("network", "inspect", "--format", "{{.Id}}", network).slice(0, 12)}`;
  const rule = ["FORWARD", "-i", bridge, "-o", bridge, "-m", "comment", "--comment", "tests of openclaw-panel", "-j", "ACCEPT"];
  try {
    execFileSync("iptables", ["-C", ...rule], { stdio: "ignore" });
  } catch {
    execFileSync("iptables", ["-I", ...rule]);
  }
  undo = () => execFileSync("iptables", ["-D", ...rule], { stdio: "ignore" });
}

let undo: (() => void) | undefined;

async function tell(path: string, body?: object): Promise<any> {
  const given = body ? { method: "POST", body: JSON.stringify(body) } : {};
  const answer = await fetch(`http://127.0.0.1:${control}${path}`, given);
  const said = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${said.error}`);
  return said;
}

const tls = () => join(facts().folder, "whatsapp-tls");

/** An authority of this run, and what it signs for WhatsApp's own name. */
function certify(): void {
  mkdirSync(tls(), { recursive: true, mode: 0o755 });
  const openssl = (...args: string[]) => {
    const given = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", ...args];
    execFileSync("openssl", given, { cwd: tls(), stdio: ["ignore", "ignore", "pipe"] });
  };
  openssl("-subj", "/CN=tests of openclaw-panel", "-keyout", "authority-key.pem", "-out", "authority.pem");
  const signed = ["-CA", "authority.pem", "-CAkey", "authority-key.pem", "-addext", "subjectAltName=DNS:web.whatsapp.com"];
  openssl("-subj", "/CN=web.whatsapp.com", ...signed, "-keyout", "key.pem", "-out", "cert.pem");
  // The stand-in is not root.
  chmodSync(join(tls(), "key.pem"), 0o644);
}

/**
 * From its next container on the gateway looks for WhatsApp as everybody's does, by name and certificate, and not by the
 * plugin's variable. Returns what puts the compose file back.
 */
export function underItsOwnName(): () => void {
  const before = readFileSync(composeFile(), "utf8");
  const address = docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name());
  const after = before
    .replace(/^( +)OPENCLAW_WHATSAPP_WEB_SOCKET_URL: .*$/m, "$1NODE_EXTRA_CA_CERTS: /whatsapp-authority.pem")
    .replace(/^( +)environment:$/m, `$1extra_hosts: ["web.whatsapp.com:${address}"]\n$&`)
    .replace(/^( +)- session_data:.*$/m, `$&\n$1- ${join(tls(), "authority.pem")}:/whatsapp-authority.pem:ro`);
  writeFileSync(composeFile(), after);
  return () => writeFileSync(composeFile(), before);
}

/** Starts it on the gateway's network, where the gateway looks for it. */
export async function startWhatsApp(): Promise<void> {
  await stopWhatsApp();
  control = await freePort();
  const network = `${facts().project}_default`;
  letThrough(network);
  const image = process.env.OPENCLAW_IMAGE ?? "";
  certify();
  docker(
    ...["run", "--detach", "--init", "--name", name(), "--network", network, "--network-alias", "whatsapp"],
    ...["--publish", `127.0.0.1:${control}:29444`, "--volume", `${root}/end2end/whatsapp-stand-in:/standin:ro`],
    ...["--volume", `${tls()}:/tls:ro`, "--env", "STAND_IN_TLS=/tls"],
    ...[image, "node", "/standin/server.mjs"],
  );
  await until("WhatsApp's stand-in answers", () => tell("/state").then(() => true as const, () => undefined));
}

export async function stopWhatsApp(): Promise<void> {
  // Removed with its network, it would take no leave: the gateway would go on waiting for it.
  if (control) await server.drop().catch(() => undefined);
  control = 0;
  undo?.();
  undo = undefined;
  if (docker("ps", "-aq", "--filter", `name=^${name()}$`)) docker("rm", "-f", name());
}

/** Where the stand-in is told what to do. */
export const standIn = () => `http://127.0.0.1:${control}`;

/** The phone that holds the number. */
export const phone = {
  scan: (qr: string, how: { number?: string; fault?: "bad-hmac" | "no-restart" | "passkey" } = {}) => tell("/scan", { qr, ...how }),
  /** Removes the device, on every phone or on the one with that number. */
  logOut: (number?: string) => tell("/logout", { number }),
};

/** WhatsApp's server. */
export const server = {
  rotate: () => tell("/rotate", {}),
  expire: () => tell("/expire", {}),
  drop: (refuseMs = 0) => tell("/drop", { refuseMs }),
  mute: (on: boolean) => tell("/mute", { on }),
  /** Ends every connection with that code; 515 asks for a new one, as it does after a scan. */
  end: (code: string) => tell("/stream-error", { code }),
  reset: () => tell("/reset", {}),
  state: () => tell("/state"),
};

/**
 * The phone removes the device that the gateway's page knows of; ends when the page knows that it is gone. Until it has
 * heard of the link, “not linked” is told from before it.
 */
export async function removedOnPhone(page: Page): Promise<void> {
  await page.goto(gatewayPage());
  await expect(verdict(page)).toContainText("Working: Messages get through", { timeout: 60_000 });
  await phone.logOut();
  await unlinked(page);
}

/** Every code that a page showed, to be looked for where it must not be. */
export const shown: string[] = [];

/** What a phone held to the screen would read; another code than `before`. */
export async function look(page: Page, before?: string): Promise<string> {
  // Before that the page may be on its way, and there is nothing to take a picture of.
  await page.locator(".scan .code svg").waitFor({ timeout: 40_000 });
  const code = await until("a code can be read from the screen", async () => {
    const read = camera(await page.screenshot());
    return read && read !== before ? read : undefined;
  }, 40_000);
  if (code.startsWith("https://wa.me/")) shown.push(code);
  return code;
}

/** What the code on a screenshot says, by a decoder that is not the panel's. */
export function camera(screenshot: Buffer): string | undefined {
  const { data, width, height } = PNG.sync.read(screenshot);
  const read = jsqr as unknown as (data: Uint8ClampedArray, width: number, height: number) => { data: string } | null;
  return read(new Uint8ClampedArray(data), width, height)?.data;
}

/** For specs that back up: the stand-in, a key for backups in `file()`, and all of it put away afterwards. */
export function withBackupKey(name: string): { file: () => string; begin: () => Promise<void>; end: () => Promise<void> } {
  let folder = "";
  const file = () => join(folder, "key");
  return {
    file,
    begin: async () => {
      folder = mkdtempSync(join(tmpdir(), `panel-${name}-`));
      await startWhatsApp();
      panel("backup", "key", "--replace", "--identity-file", file());
    },
    end: async () => {
      // The next stand-in knows nothing of this link: the gateway must not go on believing in it.
      await phone.logOut();
      await stopWhatsApp();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
