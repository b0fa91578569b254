// WhatsApp's server (29443, and 443 with TLS) and the tester's hand on it (29444); see README.md.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { certificate } from "./certificate.mjs";
import { Connection } from "./connection.mjs";
import { streamError } from "./nodes.mjs";
import { Refusal, newAccount, offer, scan } from "./pairing.mjs";
import { Curve, WebSocketServer } from "./parts.mjs";

const key = Curve.generateKeyPair();
const accounts = new Map();
const world = {
  key,
  certificate: certificate(key.public),
  connections: new Set(),
  devices: new Map(),
  mute: false,
  refuseUntil: 0,
  account(number) {
    if (!accounts.has(number)) accounts.set(number, newAccount());
    return accounts.get(number);
  },
  // Never what a code says.
  log: (event, more = {}) => console.log(JSON.stringify({ at: new Date().toISOString(), event, ...more })),
};

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
function serve(server, port) {
  server.on("upgrade", (request, socket, head) => {
    if (world.refuseUntil > Date.now() || !request.url.startsWith("/ws/chat")) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (one) => world.connections.add(new Connection(world, one, request.headers.host)));
  });
  server.listen(port, "0.0.0.0");
}

const all = () => [...world.connections];
const cut = () => all().forEach((one) => one.socket.terminate());
const controls = {
  "GET /state": () => ({
    connections: all().map(({ phase, jid, host }) => ({ phase, jid, host })),
    devices: Object.fromEntries([...world.devices].map(([jid, { removed }]) => [jid, { removed }])),
  }),
  "POST /scan": (given) => scan(world, given),
  "POST /rotate": ({ count }) => all().filter((one) => one.phase === "pairing").forEach((one) => offer(one, count)),
  "POST /expire": () => all().filter((one) => one.phase === "pairing").forEach((one) => offer(one, 0)),
  "POST /logout": ({ number }) =>
    all().filter((one) => one.phase === "live" && (!number || one.jid.startsWith(`${number}:`))).forEach((one) => {
      one.device.removed = true;
      one.end(streamError("401", "device_removed"));
    }),
  "POST /stream-error": ({ code = "503" }) => all().forEach((one) => one.end(streamError(String(code)))),
  "POST /drop": ({ refuseMs = 0 }) => {
    world.refuseUntil = Date.now() + refuseMs;
    cut();
  },
  "POST /mute": ({ on = true }) => {
    world.mute = on;
  },
  "POST /reset": () => {
    world.devices.clear();
    world.mute = false;
    world.refuseUntil = 0;
    cut();
  },
};

/** A scan's body holds a code: the parser's own complaint would repeat it. */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    throw new Refusal(400, "the body is no JSON");
  }
}

const control = createServer(async (request, response) => {
  const reply = (status, body) => response.writeHead(status, { "content-type": "application/json", connection: "close" }).end(JSON.stringify(body ?? {}));
  try {
    const act = controls[`${request.method} ${request.url}`];
    if (!act) throw new Refusal(404, `one of: ${Object.keys(controls).join(", ")}`);
    const parts = await request.toArray();
    const text = Buffer.concat(parts).toString();
    reply(200, act(parsed(text)));
  } catch (error) {
    reply(error.status ?? 500, { error: error.message });
  }
});

serve(createServer(), 29443);
const tls = process.env.STAND_IN_TLS;
if (tls) serve(createSecureServer({ key: readFileSync(`${tls}/key.pem`), cert: readFileSync(`${tls}/cert.pem`) }), 443);
control.listen(29444, "0.0.0.0");
process.on("SIGTERM", () => process.exit(0));
