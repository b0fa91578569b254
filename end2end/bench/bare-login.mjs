// The measure of the panel's speed to a code: a client in the gateway's own container, with nothing between.
// `node bare-login.mjs RUNS`, run there; prints how long each `web.login.start` took, in milliseconds. With 0 runs it prints
// one code's image and then `connected`, once a phone has scanned it and the account is connected.
const runs = Number(process.argv.at(-1));
const socket = new WebSocket("ws://127.0.0.1:18789");
const waiting = new Map();
let number = 0;

const call = (method, params) =>
  new Promise((done, failed) => {
    const id = String(++number);
    waiting.set(id, { done, failed });
    socket.send(JSON.stringify({ type: "req", id, method, params }));
  });

socket.onmessage = async ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.event === "connect.challenge") {
    const client = { id: "gateway-client", version: "1", platform: "linux", mode: "backend" };
    const auth = { token: process.env.OPENCLAW_GATEWAY_TOKEN };
    await call("connect", { minProtocol: 3, maxProtocol: 4, client, role: "operator", scopes: ["operator.admin", "operator.read"], caps: [], auth });
    if (runs > 0) console.log(JSON.stringify(await measure()));
    else await link();
    process.exit(0);
  }
  const one = waiting.get(frame.id);
  if (!one) return;
  waiting.delete(frame.id);
  if (frame.ok) one.done(frame.payload);
  else one.failed(new Error(JSON.stringify(frame.error)));
};

async function link() {
  const account = { channel: "whatsapp", accountId: "default" };
  const { qrDataUrl, message } = await call("web.login.start", { ...account, timeoutMs: 20_000 });
  if (!qrDataUrl) throw new Error(message);
  console.log(qrDataUrl);
  // The scan is answered with a newer code never, so what comes is the link.
  for (let linked = false; !linked; ) linked = (await call("web.login.wait", { ...account, timeoutMs: 30_000 })).connected;
  for (let connected = false; !connected; ) {
    const { channelAccounts } = await call("channels.status", {});
    connected = channelAccounts.whatsapp.some((one) => one.connected);
    if (!connected) await new Promise((done) => setTimeout(done, 25));
  }
  console.log("connected");
}

async function measure() {
  const took = [];
  const account = { channel: "whatsapp", accountId: "default" };
  for (let run = 0; run < runs; run++) {
    const since = performance.now();
    const { qrDataUrl, message } = await call("web.login.start", { ...account, timeoutMs: 20_000 });
    if (!qrDataUrl) throw new Error(message);
    took.push(performance.now() - since);
    await fetch("http://whatsapp:29444/drop", { method: "POST", body: "{}" });
    for (let left = ""; !/No active/.test(left); ) left = (await call("web.login.wait", { ...account, timeoutMs: 1_000 })).message;
  }
  return took;
}
