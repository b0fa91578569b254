/**
 * The real parts, started for one run: a private Docker daemon's gateway, the panel with its private
 * Postgres, Caddy with its own authority. Everything lives in one folder and under one compose project,
 * so that nothing of the host is touched.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { basename, join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the end-to-end tests with \`make test\` or \`make end2end\``);
  return value;
}

/** What tests need to know of the stack; kept in a file, since tests run in processes of their own. */
export interface Facts {
  folder: string;
  url: string;
  gatewayUrl: string;
  gatewayPort: number;
  panelPort: number;
  caddyAdmin: string;
  /** Where a test may receive the panel's mail. */
  mailPort: number;
  /** Where the panel answers Prometheus. */
  metricsPort: number;
  /** Where a test may play GitHub. */
  githubPort: number;
  /** What the identity provider knows of people, by their login there: written by tests. */
  identityPeople: string;
  user: string;
  password: string;
  docker: string;
  project: string;
  container: string;
  panelPid: number;
  caddyPid: number;
  identityPid: number;
}

export const factsFile = () => join(process.env.END2END_FOLDER ?? "", "facts.json");

export function facts(): Facts {
  return JSON.parse(readFileSync(factsFile(), "utf8"));
}

function keep(change: Partial<Facts>): Facts {
  const now = { ...(existsSync(factsFile()) ? facts() : {}), ...change } as Facts;
  writeFileSync(factsFile(), JSON.stringify(now, null, 2), { mode: 0o600 });
  return now;
}

export async function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address ? done(address.port) : failed(new Error("no port"))));
    });
  });
}

/** Waits for something that offers no event. */
export async function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined, limit = 60_000): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited ${limit / 1000} s in vain: ${what}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

export async function answers(port: number, path = "/healthz"): Promise<true | undefined> {
  return new Promise((done) => {
    const asked = request({ host: "127.0.0.1", port, path, timeout: 2000 }, (response) => {
      response.resume();
      done(response.statusCode === 200 ? true : undefined);
    });
    asked.on("error", () => done(undefined));
    asked.on("timeout", () => asked.destroy());
    asked.end();
  });
}

/** The docker command line, on the private daemon only. */
export function docker(...args: string[]): string {
  return execFileSync("docker", ["--host", needed("PANEL_TEST_DOCKER"), ...args], { encoding: "utf8" }).trim();
}

/** `panel …`, with the run's configuration. */
export function panel(...args: string[]): string {
  const config = join(needed("END2END_FOLDER"), "panel.toml");
  return execFileSync(needed("PANEL_BIN"), ["--config", config, ...args], { encoding: "utf8" }).trim();
}

function logTo(name: string): number {
  return openSync(join(needed("END2END_FOLDER"), `${name}.log`), "a");
}

function inBackground(name: string, program: string, args: string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const log = logTo(name);
  const child = spawn(program, args, { stdio: ["ignore", log, log], env: environment, detached: true });
  closeSync(log);
  child.unref();
  return child;
}

export async function startPanel(): Promise<void> {
  const folder = needed("END2END_FOLDER");
  const child = inBackground("panel", needed("PANEL_BIN"), ["--config", join(folder, "panel.toml"), "serve"], process.env);
  const { panelPort } = keep({ panelPid: child.pid ?? 0 });
  await until("the panel answers", () => answers(panelPort));
}

function alive(pid: number): true | undefined {
  try {
    process.kill(pid, 0);
    // A zombie has ended, only its parent has not noticed yet; as long as threads are left, so are its sockets.
    const ended = readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ") && readdirSync(`/proc/${pid}/task`).length < 2;
    return ended ? undefined : true;
  } catch {
    return undefined;
  }
}

async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
  if (!pid || !alive(pid)) return;
  process.kill(pid, signal);
  await until(`process ${pid} ends`, () => (alive(pid) ? undefined : true), 60_000);
}

/** kill -9: no farewell. */
export const killPanel = () => end(facts().panelPid, "SIGKILL");
/** As Ctrl-C does it. */
export const stopPanel = () => end(facts().panelPid, "SIGTERM");

/** Which gateway a stack has: the real one, or the scripted one of `scripted/gateway.mjs`. */
export type Kind = "real" | "scripted";

/** Where the panel finds it. */
export const composeFile = () => join(needed("END2END_FOLDER"), "openclaw/docker-compose.yml");

/** Writes the compose file; the scripted gateway runs in the real one's image. */
function compose(kind: Kind): void {
  const to = composeFile();
  const real = readFileSync(join(root, "openclaw/docker-compose.yml"), "utf8");
  // The tests have no WhatsApp but the stand-in.
  const whatsapp = "$&\n      OPENCLAW_WHATSAPP_WEB_SOCKET_URL: ws://whatsapp:29443/ws/chat";
  if (kind === "real") return writeFileSync(to, real.replace(/^ +environment:$/m, whatsapp));
  const scripted = join(needed("END2END_FOLDER"), "scripted-gateway");
  mkdirSync(scripted, { recursive: true, mode: 0o755 });
  cpSync(join(root, "end2end/support/scripted/gateway.mjs"), join(scripted, "gateway.mjs"));
  writeFileSync(
    to,
    real
      .replace(/^( +)command: .*$/m, `$1command: ["node", "/scripted/gateway.mjs"]`)
      .replace(/^( +)- session_data:.*$/m, `$&\n$1- ${scripted}:/scripted:ro`),
  );
}

/** What the scripted gateway does from now on: `good`, `mute`, `garbage`, `flood` or `half`. */
export function play(mode: string): void {
  writeFileSync(join(needed("END2END_FOLDER"), "scripted-gateway/mode"), mode, { mode: 0o644 });
}

export async function start(kind: Kind = "real"): Promise<Facts> {
  const folder = needed("END2END_FOLDER");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "openclaw"), { recursive: true, mode: 0o755 });
  const [gatewayPort, bridgePort, panelPort, httpsPort, adminPort, mailPort, metricsPort, githubPort, identityPort] = await Promise.all(Array.from({ length: 9 }, freePort));
  // Stacks run side by side: each has a name of its own, after its folder.
  const project = `openclaw-${kind === "real" ? "end2end" : "scripted"}-${basename(process.env.END2END_FOLDER ?? "").toLowerCase().replace(/[^a-z0-9]/g, "")}`;
  const url = `https://panel.localhost:${httpsPort}`;
  const gatewayUrl = `https://openclaw.localhost:${httpsPort}`;
  compose(kind);
  writeEnv({
    COMPOSE_PROJECT_NAME: project,
    OPENCLAW_API_KEY: randomBytes(32).toString("hex"),
    OPENCLAW_GATEWAY_PORT: String(gatewayPort),
    OPENCLAW_BRIDGE_PORT: String(bridgePort),
    OPENCLAW_IMAGE: process.env.OPENCLAW_IMAGE ?? "openclaw:2026.9.6",
  });
  const dockerHost = needed("PANEL_TEST_DOCKER");
  const caddyData = join(folder, "caddy");
  // The infrastructure's repository: its log of rotations, and its secret on GitHub (a test may play that).
  const infra = join(folder, "infra");
  execFileSync("git", ["init", "--quiet", "--initial-branch", "main", infra]);
  execFileSync("git", ["-C", infra, ...["-c", "user.name=anna", "-c", "user.email=anna@example.org"], "commit", "--quiet", "--allow-empty", "--message", "Begin"]);
  writeFileSync(join(folder, "github-token"), "github_pat_end2end\n", { mode: 0o600 });
  writeFileSync(join(folder, "mail-server"), `smtp://127.0.0.1:${mailPort}\n`, { mode: 0o600 });
  const issuer = `http://identity.localhost:${identityPort}`;
  const identityPeople = join(folder, "identity-people.json");
  writeFileSync(identityPeople, "{}");
  writeFileSync(join(folder, "identity-secret"), "secret-of-the-panel\n", { mode: 0o600 });
  writeFileSync(
    join(folder, "panel.toml"),
    `listen = "127.0.0.1:${panelPort}"
metrics_listen = "127.0.0.1:${metricsPort}"
public_url = "${url}"
data_dir = "${join(folder, "data")}"
site_dir = "${needed("PANEL_SITE_DIR")}"
trusted_proxies = ["127.0.0.1"]
log = "info"
mail_server_file = "${join(folder, "mail-server")}"
mail_from = "OpenClaw Panel <panel@example.org>"
github_api_url = "http://127.0.0.1:${githubPort}"
github_token_file = "${join(folder, "github-token")}"
[sign_in]
second_factor_for = []
[sign_in.oidc]
issuer = "${issuer}"
client_id = "panel"
client_secret_file = "${join(folder, "identity-secret")}"
name = "Example"
roles = { ops = "operator", staff = "viewer" }
[[gateways]]
id = "openclaw"
name = "OpenClaw on vps-i1"
docker = "${dockerHost}"
compose_dir = "${join(folder, "openclaw")}"
internal_url = "http://127.0.0.1:${gatewayPort}"
public_url = "${gatewayUrl}"
ca_file = "${join(caddyData, "caddy/pki/authorities/local/root.crt")}"
probe_seconds = 5
edge_seconds = 5
github_repository = "example/infra"
rotation_log_repository = "${infra}"
`,
    { mode: 0o600 },
  );
  keep({
    folder,
    url,
    gatewayUrl,
    gatewayPort,
    panelPort,
    caddyAdmin: `127.0.0.1:${adminPort}`,
    mailPort,
    metricsPort,
    githubPort,
    identityPeople,
    user: "anna",
    docker: dockerHost,
    project,
    container: `${project}-openclaw-gateway-1`,
  });
  removeContainers(project);
  const caddy = inBackground("caddy", "caddy", ["run", "--config", join(root, "monitoring/Caddyfile"), "--adapter", "caddyfile"], {
    ...process.env,
    XDG_DATA_HOME: caddyData,
    XDG_CONFIG_HOME: caddyData,
    CADDY_ADMIN: `127.0.0.1:${adminPort}`,
    CADDY_HTTPS_PORT: String(httpsPort),
    // For this side, and for the browser's network.
    CADDY_BIND: `127.0.0.1 ${needed("END2END_DOOR")}`,
    CADDY_AUTO_HTTPS: "disable_redirects",
    OPENCLAW_HOST: `https://openclaw.localhost:${httpsPort}`,
    OPENCLAW_UPSTREAM: `127.0.0.1:${gatewayPort}`,
    PANEL_HOST: `https://panel.localhost:${httpsPort}`,
    PANEL_UPSTREAM: `127.0.0.1:${panelPort}`,
  });
  keep({ caddyPid: caddy.pid ?? 0 });
  // Where the browser looks for it, and where the panel does.
  const back = `${url}/sign-in/oidc/return`;
  const hosts = ["127.0.0.1", needed("END2END_DOOR")];
  const provider = [join(root, "end2end/support/identity.mjs"), issuer, back, "secret-of-the-panel", identityPeople, String(identityPort), ...hosts];
  const identity = inBackground("identity", process.execPath, provider, process.env);
  keep({ identityPid: identity.pid ?? 0 });
  await until("the identity provider answers", () => answers(identityPort, "/.well-known/openid-configuration"));
  const authority = join(caddyData, "caddy/pki/authorities/local/root.crt");
  await until("Caddy has made its authority", () => (existsSync(authority) ? true : undefined));
  await startPanel();
  const passwordFile = join(folder, "password");
  panel("user", "add", "anna", "--role", "admin", "--one-time-password-file", passwordFile);
  keep({ password: readFileSync(passwordFile, "utf8").trim() });
  panel("operation", "start", "install", "--reason", "first start of the end-to-end run", "--wait");
  return facts();
}

export function writeEnv(values: Record<string, string>): void {
  const text = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(envFile(), text.join(""), { mode: 0o600 });
}

export const envFile = () => join(needed("END2END_FOLDER"), "openclaw/.env");

/** Containers with the gateway's name, set aside ones included. */
export const containerNames = () =>
  docker("ps", "-a", "--format", "{{.Names}}").split("\n").filter((name) => name.startsWith(facts().container));

export const gatewayRuns = () => docker("inspect", "--format", "{{.State.Running}}", facts().container) === "true";

/** Makes the image `openclaw:broken`, whose gateway ends with code 3 as soon as it is started. */
export function brokenImage(): void {
  const folder = join(needed("END2END_FOLDER"), "broken");
  mkdirSync(join(folder, "bin"), { recursive: true });
  mkdirSync(join(folder, "usr/local/bin"), { recursive: true });
  mkdirSync(join(folder, "app"), { recursive: true });
  cpSync("/bin/busybox", join(folder, "bin/busybox"), { dereference: true });
  writeFileSync(
    join(folder, "usr/local/bin/node"),
    "#!/bin/busybox sh\n/bin/busybox echo 'Gateway failed to start: this image is broken on purpose'\nexit 3\n",
    { mode: 0o755 },
  );
  const archive = join(folder, "..", "broken.tar");
  execFileSync("tar", ["-C", folder, "-cf", archive, "."]);
  docker("import", "--change", "ENV PATH=/usr/local/bin:/bin", "--change", "WORKDIR /app", archive, "openclaw:broken");
}

function removeContainers(project: string): void {
  const filter = `label=com.docker.compose.project=${project}`;
  for (const id of docker("ps", "-aq", "--filter", filter).split("\n").filter(Boolean)) docker("rm", "-f", id);
  for (const name of docker("volume", "ls", "-q", "--filter", filter).split("\n").filter(Boolean)) docker("volume", "rm", "-f", name);
  for (const id of docker("network", "ls", "-q", "--filter", filter).split("\n").filter(Boolean)) docker("network", "rm", id);
}

export async function stop(): Promise<void> {
  if (!existsSync(factsFile())) return;
  const { panelPid, caddyPid, identityPid, project } = facts();
  await end(panelPid, "SIGTERM");
  await end(caddyPid, "SIGTERM");
  await end(identityPid, "SIGTERM");
  removeContainers(project);
}

/** Asks the panel's private database; one column, one row. */
export function sql(statement: string): string {
  const postgres = join(facts().folder, "data/postgres");
  const password = readFileSync(join(postgres, "password"), "utf8").trim();
  const given = ["--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--command", statement];
  return execFileSync("psql", [...given, `host=${join(postgres, "run")} user=panel dbname=panel`], {
    encoding: "utf8",
    env: { ...process.env, PGPASSWORD: password },
  }).trim();
}
