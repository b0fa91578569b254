/** Speed and memory of the panel beside a real gateway; ratios to other programs are of one run. */
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { type Browser, test } from "@playwright/test";
import { contextOf } from "../support/people.ts";
import { docker, facts, freePort, panel, startPanel, stopPanel, until } from "../support/stack.ts";
import { crowd, dashboard } from "./crowd.ts";
import { figure, median, percentile, residentMb } from "./measure.ts";
import { open } from "./streams.ts";

test.describe.configure({ mode: "serial" });

let cookies: string[] = [];

async function get(port: number, path: string, cookie: string, agent?: Agent): Promise<{ ms: number; bytes: number; status: number }> {
  const since = performance.now();
  return new Promise((done, failed) => {
    const asked = request({ host: "127.0.0.1", port, path, headers: { cookie }, agent }, (answer) => {
      let bytes = 0;
      answer.on("data", (part: Buffer) => {
        bytes += part.length;
      });
      answer.on("end", () => done({ ms: performance.now() - since, bytes, status: answer.statusCode ?? 0 }));
    });
    asked.on("error", failed);
    asked.end();
  });
}

test("people sign in", async () => {
  await stopPanel();
  await startPanel();
  // A fresh start, then the probes' pace: what it needs while nobody looks.
  await new Promise((wake) => setTimeout(wake, 20_000));
  figure("memory, idle", `${residentMb(facts().panelPid).toFixed(1)} MB`, "<= 25 MB");
  cookies = await crowd(200);
});

test("requests per second, beside axum alone", async () => {
  const { panelPort, folder, panelPid } = facts();
  const { bytes, status } = await get(panelPort, dashboard, cookies[0] ?? "");
  if (status !== 200) throw new Error(`the dashboard was answered ${status}`);
  const port = await freePort();
  const bare = spawn(process.env.BARE_BIN ?? "", [String(port), String(bytes)], { stdio: "ignore" });
  await until("axum alone answers", () => get(port, "/", "").then(() => true, () => undefined));
  const script = join(folder, "crowd.lua");
  writeFileSync(
    script,
    `local cookies = {${cookies.map((one) => JSON.stringify(one)).join(",")}}
local n = 0
request = function()
  n = n % #cookies + 1
  return wrk.format("GET", nil, { Cookie = cookies[n] })
end`,
  );
  const rate = (url: string) => {
    const said = execFileSync("wrk", ["-t1", "-c16", "-d5s", "-s", script, url], { encoding: "utf8" });
    if (/Non-2xx/.test(said)) throw new Error(said);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1]);
  };
  const rates = Array.from({ length: 3 }, () => ({
    bare: rate(`http://127.0.0.1:${port}/`),
    panel: rate(`http://127.0.0.1:${panelPort}${dashboard}`),
  }));
  bare.kill();
  const ratio = median(rates.map((one) => one.panel / one.bare));
  figure(`dashboard of ${(bytes / 1000).toFixed(1)} kB, requests per second`, median(rates.map((one) => one.panel)).toFixed(0));
  figure("axum alone, the same size", median(rates.map((one) => one.bare)).toFixed(0));
  figure("ratio", `${(ratio * 100).toFixed(0)} %`, ">= 20 %");
  figure("memory after it", `${residentMb(panelPid).toFixed(1)} MB`);
});

test("latency at 100 requests per second by 200 people", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const took: number[] = [];
  const asked: Promise<void>[] = [];
  const begun = performance.now();
  for (let i = 0; i < 2000; i++) {
    const due = begun + i * 10;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((wake) => setTimeout(wake, wait));
    asked.push(get(facts().panelPort, dashboard, cookies[i % cookies.length] ?? "", agent).then((one) => void took.push(one.ms)));
  }
  await Promise.all(asked);
  agent.destroy();
  figure("median", `${median(took).toFixed(1)} ms`);
  figure("99 % within", `${percentile(took, 0.99).toFixed(1)} ms`, "<= 10 ms");
});

/** One try to sign in with a wrong password from some address; how it was answered. */
async function guess(name: string, address: string, agent: Agent): Promise<string> {
  const body = new URLSearchParams({ name, password: "not the password of anybody" }).toString();
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "content-length": body.length,
    origin: facts().url,
    "x-forwarded-for": address,
  };
  return new Promise((done, failed) => {
    const asked = request({ host: "127.0.0.1", port: facts().panelPort, path: "/sign-in", method: "POST", headers, agent }, (answer) => {
      answer.resume();
      const word = /failed|throttled/.exec(answer.headers.location ?? "")?.[0];
      answer.on("end", () => done(word ?? `status ${answer.statusCode}`));
    });
    asked.on("error", failed);
    asked.end(body);
  });
}

const floods = {
  "one address": () => "10.1.1.1",
  // As a botnet does: no address comes twice, so that it is the passwords' own queue that holds it back.
  "as many addresses": (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
};

for (const [from, address] of Object.entries(floods)) test(`200 sign-in attempts per second for a minute from ${from}, while 200 people look at the dashboard`, async () => {
  test.setTimeout(180_000);
  const [guesses, looks] = [new Agent({ keepAlive: true, maxSockets: 100 }), new Agent({ keepAlive: true, maxSockets: 50 })];
  const took: number[] = [];
  const answers = new Map<string, number>();
  const asked: Promise<void>[] = [];
  let most = 0;
  const begun = performance.now();
  for (let i = 0; i < 12_000; i++) {
    const wait = begun + i * 5 - performance.now();
    if (wait > 0) await new Promise((wake) => setTimeout(wake, wait));
    // Half guess at one name, half at another one each time.
    const name = i % 2 ? "anna" : `guess-${i}`;
    asked.push(guess(name, address(i), guesses).then((word) => void answers.set(word, (answers.get(word) ?? 0) + 1)));
    if (i % 10 === 0) asked.push(get(facts().panelPort, dashboard, cookies[(i / 10) % cookies.length] ?? "", looks).then((one) => void took.push(one.ms)));
    if (i % 100 === 0) most = Math.max(most, residentMb(facts().panelPid));
  }
  await Promise.all(asked);
  guesses.destroy();
  looks.destroy();
  figure("attempts answered", [...answers].map(([word, count]) => `${word} ${count}`).join(", "));
  figure("dashboard meanwhile, 99 % within", `${percentile(took, 0.99).toFixed(1)} ms`, "<= 50 ms");
  figure("most memory", `${most.toFixed(1)} MB`, "<= 300 MB");
});

test("500 open pages see a container killed from outside", async () => {
  const streams = await open(500, cookies);
  for (let round = 0; round < 3; round++) {
    const since = Date.now();
    const seen = streams.saw("Exited with 137");
    await new Promise<void>((done, failed) => {
      const socketPath = facts().docker.replace("unix://", "");
      const asked = request({ socketPath, method: "POST", path: `/containers/${facts().container}/kill` }, (answer) => {
        answer.resume();
        answer.on("end", done);
      });
      asked.on("error", failed);
      asked.end();
    });
    const at = await seen;
    const died = Date.parse(docker("inspect", "--format", "{{.State.FinishedAt}}", facts().container));
    figure(`round ${round + 1}: from the kill's request to the end, by Docker`, `${died - since} ms`);
    figure("  from the end to 99 % of the pages", `${percentile(at, 0.99) - died} ms`, "<= 250 ms");
    panel("operation", "start", "start", "--wait", "--reason", "benchmark");
  }
  streams.close();
});

test("memory with 1,000 open event streams", async () => {
  const streams = await open(1000, cookies);
  await new Promise((wake) => setTimeout(wake, 15_000));
  figure("memory, 1,000 streams", `${residentMb(facts().panelPid).toFixed(1)} MB`, "<= 60 MB");
  streams.close();
});

interface FirstLoad {
  fcp: number;
  /** First byte of the page, and the end of its last style sheet or script before the paint. */
  first: number;
  blocked: number;
  bytes: number;
  requests: number;
}

async function firstLoad(browser: Browser, url: string, signedIn: boolean): Promise<FirstLoad> {
  const context = signedIn ? await contextOf(browser, { ignoreHTTPSErrors: true }) : await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  let bytes = 0;
  let requests = 0;
  devtools.on("Network.loadingFinished", (event) => {
    bytes += event.encodedDataLength;
    requests += 1;
  });
  await page.goto(url, { waitUntil: "load" });
  const fcp = await page.evaluate(
    () =>
      new Promise<number>((done) => {
        new PerformanceObserver((list) => {
          const found = list.getEntriesByName("first-contentful-paint")[0];
          if (found) done(found.startTime);
        }).observe({ type: "paint", buffered: true });
      }),
  );
  const { first, blocked } = await page.evaluate((fcp) => {
    const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    const styles = performance.getEntriesByType("resource").filter((one) => one.name.endsWith(".css"));
    return { first: page?.responseStart ?? 0, blocked: Math.max(0, ...styles.map((one) => (one as PerformanceResourceTiming).responseEnd)), fcp };
  }, fcp);
  // What the page fetches by itself afterwards.
  await page.waitForTimeout(2000);
  await context.close();
  return { fcp, first, blocked, bytes, requests };
}

test("first load, beside the gateway's own Control UI", async ({ browser }) => {
  const loads: { panel: FirstLoad; control: FirstLoad }[] = [];
  for (let round = 0; round < 5; round++) {
    loads.push({
      control: await firstLoad(browser, `${facts().gatewayUrl}/`, false),
      panel: await firstLoad(browser, `${facts().url}${dashboard}`, true),
    });
  }
  for (const who of ["panel", "control"] as const) {
    const of = (what: keyof FirstLoad) => median(loads.map((one) => one[who][what]));
    const wanted = who === "panel" ? "<= 100 kB" : "";
    figure(`${who}: on the wire in ${of("requests")} requests`, `${(of("bytes") / 1000).toFixed(1)} kB`, wanted);
    figure(`${who}: first byte; styles are there`, `${of("first").toFixed(0)}; ${of("blocked").toFixed(0)} ms`);
    figure(`${who}: first contentful paint`, `${of("fcp").toFixed(0)} ms`);
  }
  const ratio = median(loads.map((one) => one.panel.fcp / one.control.fcp));
  figure("ratio of first contentful paints", ratio.toFixed(2), "<= 0.25");
});

/** `docker create` arguments that make the running container once more. */
function createArguments(container: string): string[] {
  const found = JSON.parse(docker("inspect", container))[0];
  const { Config: config, HostConfig: host } = found;
  const project = facts().project;
  const given = ["create", "--name", container, "--hostname", config.Hostname, "--init", "--restart", host.RestartPolicy.Name];
  for (const one of config.Env) given.push("--env", one);
  for (const bind of host.Mounts ?? []) given.push("--mount", `type=volume,source=${bind.Source},target=${bind.Target}`);
  for (const bind of host.Binds ?? []) given.push("--volume", bind);
  for (const [port, bound] of Object.entries(host.PortBindings as Record<string, { HostIp: string; HostPort: string }[]>))
    for (const one of bound) given.push("--publish", `${one.HostIp}:${one.HostPort}:${port.split("/")[0]}`);
  for (const [name, value] of Object.entries(config.Labels)) given.push("--label", `${name}=${value}`);
  given.push("--network", `${project}_default`, "--memory", String(host.Memory), "--pids-limit", String(host.PidsLimit));
  given.push("--cap-drop", "ALL", "--security-opt", "no-new-privileges:true", config.Image, ...config.Cmd);
  return given;
}

async function byHand(): Promise<number> {
  const { container, gatewayPort } = facts();
  const again = createArguments(container);
  const since = performance.now();
  docker("stop", "--time", "30", container);
  docker("rm", container);
  docker(...again);
  docker("start", container);
  await until("the gateway is ready", () => get(gatewayPort, "/readyz", "").then((one) => (one.status === 200 ? true : undefined), () => undefined), 300_000);
  return performance.now() - since;
}

function byPanel(): number {
  panel("operation", "start", "recreate", "--wait", "--reason", "benchmark");
  const last = JSON.parse(panel("operation", "list", "--limit", "1", "--json"));
  return last.ended_at - last.created_at;
}

test("recreate, beside the docker command line", async () => {
  const rounds: { hand: number; panel: number }[] = [];
  for (let round = 0; round < 3; round++) rounds.push({ hand: await byHand(), panel: byPanel() });
  figure("by hand: stop, create, start, ready", `${(median(rounds.map((one) => one.hand)) / 1000).toFixed(2)} s`);
  figure("by the panel", `${(median(rounds.map((one) => one.panel)) / 1000).toFixed(2)} s`);
  for (const one of rounds) figure("  a pair: more than by hand", `${((one.panel - one.hand) / 1000).toFixed(2)} s`, "<= 1 s");
});
