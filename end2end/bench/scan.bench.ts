/** How soon a code is on the page, how soon a newer one, and how soon the page says that it is linked. */
import { readFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { type ClientRequest, request } from "node:http";
import { join } from "node:path";
import { test } from "@playwright/test";
import { docker, facts, panel, root, until } from "../support/stack.ts";
import { camera, phone, server, startWhatsApp, stopWhatsApp } from "../support/whatsapp.ts";
import { cookieOf } from "./crowd.ts";
import { figure, median, percentile } from "./measure.ts";

test.describe.configure({ mode: "serial" });

const runs = 50;
const links = 5;
let cookie = "";

test.beforeAll(async () => {
  await startWhatsApp();
  const file = join(facts().folder, "olga.password");
  panel("user", "add", "olga", "--role", "operator", "--one-time-password-file", file);
  cookie = await cookieOf("olga", readFileSync(file, "utf8").trim(), "127.0.2.1");
});
test.afterAll(stopWhatsApp);

interface Answer {
  location: string;
  body: string;
}

function ask(method: string, path: string, form?: Record<string, string>): Promise<Answer> {
  const body = form ? new URLSearchParams(form).toString() : "";
  const headers = {
    cookie,
    origin: facts().url,
    host: new URL(facts().url).host,
    accept: "text/html",
    ...(form ? { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) } : {}),
  };
  return new Promise((done, failed) => {
    const asked = request({ host: "127.0.0.1", port: facts().panelPort, method, path, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => done({ location: answer.headers.location ?? "", body: Buffer.concat(parts).toString() }));
    });
    asked.on("error", failed);
    asked.end(body);
  });
}

/** An operation's open page: resolves when its stream has said what is looked for. */
class Open {
  private text = "";
  private looks: { what: RegExp; found: (at: number) => void }[] = [];
  private asked: ClientRequest;

  constructor(operation: string) {
    this.asked = request({ host: "127.0.0.1", port: facts().panelPort, path: `/events${operation}`, headers: { cookie } }, (answer) => {
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        this.text += part;
        this.looks = this.looks.filter(({ what, found }) => {
          if (!what.test(this.text)) return true;
          found(performance.now());
          return false;
        });
      });
    });
    this.asked.on("error", () => {});
    this.asked.end();
  }

  /** From now on. */
  says(what: RegExp): Promise<number> {
    this.text = "";
    return new Promise((found) => this.looks.push({ what, found }));
  }

  close(): void {
    this.asked.destroy();
  }
}

const code = /class=\\"dark\\"/;

async function begin(): Promise<{ operation: string; page: Open; shown: Promise<number>; since: number }> {
  const since = performance.now();
  const key = String(since);
  const { location } = await ask("POST", "/api/operations/start", { gateway: "openclaw", kind: "relink", account: "default", key });
  if (!location.startsWith("/operations/")) throw new Error(`not started: ${location}`);
  const page = new Open(location);
  return { operation: location, page, shown: page.says(code), since };
}

async function cancel(operation: string): Promise<void> {
  await ask("POST", "/api/operations/cancel", { id: operation.replace("/operations/", "") });
  await until("it is stopped", async () => ((await ask("GET", operation)).body.includes("was stopped and put back") ? true : undefined));
  await server.drop();
}

test("from the click to the code, beside a client with nothing between", async () => {
  const bare: number[] = JSON.parse(docker("exec", facts().container, "node", "--input-type=module", "-e", bareScript(), "--", String(runs)));
  const took: number[] = [];
  for (let run = 0; run < runs; run++) {
    const { operation, page, shown, since } = await begin();
    took.push((await shown) - since);
    page.close();
    await cancel(operation);
  }
  figure(`the gateway alone, ${runs} runs: median; 95 % within`, `${median(bare).toFixed(0)}; ${percentile(bare, 0.95).toFixed(0)} ms`);
  figure("from the click to the code on the page: median; 95 % within", `${median(took).toFixed(0)}; ${percentile(took, 0.95).toFixed(0)} ms`);
  figure("more than the gateway alone, at 95 %", `${(percentile(took, 0.95) - percentile(bare, 0.95)).toFixed(0)} ms`, "<= 150 ms");
});

const bareScript = () => readFileSync(join(root, "end2end/bench/bare-login.mjs"), "utf8");

/** From a scan to the connected account, as the gateway tells a client with nothing between. */
async function bareLink(): Promise<number> {
  const argv = ["--host", process.env.PANEL_TEST_DOCKER ?? "", "exec", facts().container, "node", "--input-type=module", "-e", bareScript(), "--", "0"];
  const client = spawn("docker", argv, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  let heard = () => {};
  client.stdout.setEncoding("utf8").on("data", (part: string) => {
    said += part;
    heard();
  });
  const says = (what: RegExp) =>
    new Promise<string>((done) => {
      heard = () => {
        const found = what.exec(said)?.[1];
        if (found) done(found);
      };
      heard();
    });
  const read = camera(Buffer.from(await says(/^data:image\/png;base64,(\S+)\n/), "base64"));
  if (!read) throw new Error("the gateway's code cannot be read");
  const since = performance.now();
  await phone.scan(read);
  await says(/^(connected)$/m);
  const took = performance.now() - since;
  client.kill();
  return took;
}

async function panelLink(): Promise<number> {
  const { operation, page, shown } = await begin();
  await shown;
  const link = /href="(https:\/\/wa\.me\/[^"]+)"/.exec((await ask("GET", operation)).body)?.[1];
  if (!link) throw new Error("the page has no link");
  const done = page.says(/is done/);
  const since = performance.now();
  await phone.scan(link.replaceAll("&amp;", "&"));
  const took = (await done) - since;
  page.close();
  return took;
}

/** The phone takes the link away, and the gateway has noticed. */
async function unlink(): Promise<void> {
  await phone.logOut();
  await until("the panel knows of no link", async () => ((await ask("GET", "/gateways/openclaw/accounts")).body.includes("chip is-down") ? true : undefined), 60_000);
}

test("from the scan to the connected account, beside a client with nothing between", async () => {
  const bare: number[] = [];
  const took: number[] = [];
  for (let run = 0; run < links; run++) {
    bare.push(await bareLink());
    await unlink();
    took.push(await panelLink());
    await unlink();
  }
  figure(`from the scan to connected, the gateway alone, ${links} runs: median`, `${median(bare).toFixed(0)} ms`);
  figure("from the scan to “linked and connected” on the page: median", `${median(took).toFixed(0)} ms`);
  figure("more than the gateway alone", `${(median(took) - median(bare)).toFixed(0)} ms`, "<= 500 ms");
});

test("a newer code on 20 open pages", async () => {
  const { operation, page, shown } = await begin();
  await shown;
  const pages = Array.from({ length: 20 }, () => new Open(operation));
  await Promise.all(pages.map((one) => one.says(code)));
  const late: number[] = [];
  for (let round = 0; round < 3; round++) {
    const seen = pages.map((one) => one.says(code));
    await server.rotate();
    const since = performance.now();
    late.push(...(await Promise.all(seen)).map((at) => at - since));
  }
  figure("a newer code on 20 pages, after WhatsApp offered it: 99 % within", `${percentile(late, 0.99).toFixed(0)} ms`, "<= 300 ms");
  for (const one of [page, ...pages]) one.close();
  await cancel(operation);
});
