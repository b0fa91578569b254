// A gateway for faults: starts in a moment, speaks protocol 4, and misbehaves as the file `mode` beside
// it says, read anew at every request, or as its own environment says. Runs in the gateway's own image, whose `ws` it uses.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { hostname } from "node:os";

const { WebSocketServer } = createRequire("/app/package.json")("ws");

const mode = () => {
  if (process.env.SCRIPTED_MODE) return process.env.SCRIPTED_MODE;
  try {
    return readFileSync(new URL("./mode", import.meta.url), "utf8").trim();
  } catch {
    return "good";
  }
};

// The owner lease, as the real gateway keeps it on its state folder, but shorter: another host name has to
// wait until it ends.
const leaseFile = "/home/node/.openclaw/scripted-lease.json";
const leaseMs = 12_000;
const hold = () => writeFileSync(leaseFile, JSON.stringify({ host: hostname(), until: Date.now() + leaseMs }));
try {
  const { host, until } = JSON.parse(readFileSync(leaseFile, "utf8"));
  if (host !== hostname() && until > Date.now()) {
    console.error("Gateway failed to start: Another Gateway owner lease is still active for this state directory");
    process.exit(1);
  }
} catch {
  // None, or half a file after a kill.
}
hold();
setInterval(hold, 1000);

const json = (response, status, body) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
};

const server = createServer((request, response) => {
  const path = new URL(request.url, "http://gateway").pathname;
  switch (mode()) {
    case "mute":
      return;
    case "garbage":
      response.writeHead(200, { "content-type": "application/json" });
      return response.end(Buffer.from([0x7b, 0xff, 0x00, 0xfe, 0x22]));
    case "flood":
      response.writeHead(200, { "content-type": "application/json" });
      return response.end(`{"ok":"${"x".repeat(30_000_000)}"}`);
    case "half":
      response.writeHead(200, { "content-type": "application/json", "content-length": "4096" });
      response.write('{"ok":tr');
      return request.socket.destroy();
  }
  if (path === "/healthz") return json(response, 200, { ok: true, status: "live" });
  if (path === "/startupz") return json(response, 200, { status: "started" });
  if (path === "/readyz") return json(response, 200, { ready: true, failing: [], uptimeMs: 1000 });
  // A key is known by its answer: 401 for a bad one.
  if (path === "/tools/invoke") {
    const good = request.headers.authorization === `Bearer ${process.env.OPENCLAW_GATEWAY_TOKEN}`;
    return json(response, good ? 400 : 401, { error: { message: good ? "no tool" : "unauthorized" } });
  }
  json(response, 404, { error: "not found" });
});

const account = {
  accountId: "default",
  enabled: true,
  configured: true,
  linked: true,
  running: true,
  connected: true,
  healthState: "healthy",
  lifecycle: "ready",
  reconnectAttempts: 0,
  lastDisconnect: null,
  lastError: null,
};

const answers = {
  health: () => ({ ok: true }),
  "channels.status": () => ({
    channels: { whatsapp: { ...account, self: { e164: "+15550100001" }, authAgeMs: 1000 } },
    channelAccounts: { whatsapp: [account] },
    channelDefaultAccountId: { whatsapp: "default" },
  }),
};

new WebSocketServer({ server }).on("connection", (socket) => {
  const say = (frame) => socket.send(JSON.stringify(frame));
  const how = mode();
  if (how === "mute") return;
  if (how === "garbage") return socket.send("<html>\u0000 this is no frame");
  if (how === "flood") return socket.send("x".repeat(30_000_000));
  say({ type: "event", event: "connect.challenge", payload: { nonce: crypto.randomUUID(), ts: Date.now() } });
  const tick = setInterval(() => say({ type: "event", event: "tick", payload: {} }), 5_000);
  socket.on("close", () => clearInterval(tick));
  socket.on("message", (data) => {
    const { id, method, params } = JSON.parse(data);
    // The head of a frame that promises more than ever comes.
    if (mode() === "half") return socket._socket.write(Buffer.from([0x81, 0x64, 0x7b, 0x22]));
    if (method === "connect") {
      if (params.auth?.token !== process.env.OPENCLAW_GATEWAY_TOKEN) {
        return say({ type: "res", id, ok: false, error: { code: "INVALID_REQUEST", message: "unauthorized", details: { code: "AUTH_TOKEN_MISMATCH" } } });
      }
      const payload = {
        type: "hello-ok",
        protocol: 4,
        server: { version: "2026.9.6-scripted" },
        features: { methods: Object.keys(answers), events: ["tick"] },
        auth: { role: "operator", scopes: ["operator.read", "operator.admin"] },
        policy: { tickIntervalMs: 5_000 },
      };
      return say({ type: "res", id, ok: true, payload });
    }
    const answer = answers[method];
    if (answer) say({ type: "res", id, ok: true, payload: answer() });
    else say({ type: "res", id, ok: false, error: { code: "INVALID_REQUEST", message: `unknown method: ${method}` } });
  });
});

// With open connections a server does not end by itself.
process.on("SIGTERM", () => {
  rmSync(leaseFile, { force: true });
  process.exit(0);
});
server.listen(18789, "0.0.0.0");
