// The stand-in as a process of its own, with a client in place of the gateway. Needs its two ports to itself.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { after, afterEach, before, test } from "node:test";
import { companion } from "./companion.mjs";
import { SERVER, child, node } from "./nodes.mjs";
import { encode, isSigned, proto, sign } from "./parts.mjs";

const URL = "ws://127.0.0.1:29443/ws/chat";
let server;
let log = "";

before(async () => {
  server = spawn(process.execPath, [`${import.meta.dirname}/server.mjs`], { stdio: ["ignore", "pipe", "inherit"] });
  server.stdout.on("data", (text) => (log += text));
  for (let tries = 100; ; tries--) {
    if (await fetch("http://127.0.0.1:29444/state").then(() => true, () => false)) return;
    if (!tries) throw new Error("the stand-in does not answer");
    await new Promise((wake) => setTimeout(wake, 100));
  }
});
after(async () => {
  server.kill();
  await once(server, "exit");
});
afterEach(() => tell("/reset", {}));

async function tell(path, body) {
  const answer = await fetch(`http://127.0.0.1:29444${path}`, body ? { method: "POST", body: JSON.stringify(body) } : {});
  return { status: answer.status, ...(await answer.json()) };
}

const secret = randomBytes(32);
const shown = [];

/** What the client would put on the screen for the `at`th reference that it was offered. */
function code({ keys, identity }, offer, at = 0) {
  const ref = child(offer, "pair-device").content[at].content.toString();
  const parts = [ref, ...[keys.public, identity.public, secret].map((key) => Buffer.from(key).toString("base64")), "9"];
  shown.push(...parts.slice(0, 4));
  return `https://wa.me/settings/linked_devices#${parts.join(",")}`;
}

/** Scans and signs back, as the client does; the answer to that is the stream's end. */
async function link(client, qr, number) {
  const { status, jid } = await tell("/scan", { qr, number });
  assert.equal(status, 200);
  const success = await client.next();
  const sealed = proto.ADVSignedDeviceIdentityHMAC.decode(child(child(success, "pair-success"), "device-identity").content);
  assert.deepEqual(createHmac("sha256", secret).update(sealed.details).digest(), Buffer.from(sealed.hmac));
  const account = proto.ADVSignedDeviceIdentity.decode(sealed.details);
  const about = [Buffer.from(account.details), Buffer.from(client.identity.public)];
  assert.ok(isSigned(account.accountSignatureKey, Buffer.concat([Buffer.from([6, 0]), ...about]), account.accountSignature));
  const message = Buffer.concat([Buffer.from([6, 1]), ...about, Buffer.from(account.accountSignatureKey)]);
  const back = encode("ADVSignedDeviceIdentity", { details: account.details, deviceSignature: sign(client.identity, message) });
  client.send(
    node("iq", { to: SERVER, type: "result", id: success.attrs.id }, [
      node("pair-device-sign", {}, [node("device-identity", { "key-index": "1" }, back)]),
    ]),
  );
  return jid;
}

const login = (jid) => ({ username: Number(jid.split(":")[0]), device: Number(jid.split(/[:@]/)[1]), passive: true });

test("the handshake ends in six codes, and the certificate is for the server's own key", async () => {
  const client = await companion(URL);
  const offer = await client.next();
  assert.equal(child(offer, "pair-device").content.length, 6);
  const { intermediate, leaf } = client.certificate;
  const { Details } = proto.CertChain.NoiseCertificate;
  const key = Details.decode(intermediate.details).key;
  assert.deepEqual(Buffer.from(Details.decode(leaf.details).key), client.serverKey);
  assert.ok(isSigned(key, leaf.details, leaf.signature));
});

test("a scan links; the device is known then, until the phone removes it", async () => {
  const client = await companion(URL);
  const jid = await link(client, code(client, await client.next()));
  assert.equal((await client.next()).attrs.code, "515");

  const back = await companion(URL, { keys: client.keys, login: login(jid) });
  assert.equal((await back.next()).tag, "success");
  assert.equal((await back.next()).tag, "ib");
  assert.deepEqual((await tell("/state")).devices, { [jid]: { removed: false } });
  await tell("/logout", {});
  const gone = await back.next();
  assert.equal(gone.attrs.code, "401");
  assert.equal(child(gone, "conflict").attrs.type, "device_removed");

  const refused = await companion(URL, { keys: client.keys, login: login(jid) });
  assert.equal((await refused.next()).attrs.reason, "401");
});

test("a phone that removes its device leaves another number's alone", async () => {
  const numbers = ["15550100001", "15550100002"];
  const linked = [];
  for (const number of numbers) {
    const client = await companion(URL);
    const jid = await link(client, code(client, await client.next()), number);
    assert.ok(jid.startsWith(`${number}:`));
    assert.equal((await client.next()).attrs.code, "515");
    const back = await companion(URL, { keys: client.keys, login: login(jid) });
    linked.push({ jid, back, lid: (await back.next()).attrs.lid });
    await back.next();
  }
  const [first, second] = linked;
  assert.notEqual(first.lid, second.lid);
  await tell("/logout", { number: numbers[1] });
  assert.equal((await second.back.next()).attrs.code, "401");
  await assert.rejects(second.back.next());
  const { connections, devices } = await tell("/state");
  assert.deepEqual(connections, [{ phase: "live", jid: first.jid, host: "127.0.0.1:29443" }]);
  assert.deepEqual(devices, { [first.jid]: { removed: false }, [second.jid]: { removed: true } });
});

test("a linked device with another key is not let in", async () => {
  const client = await companion(URL);
  const jid = await link(client, code(client, await client.next()));
  await client.next();
  const stranger = await companion(URL, { login: login(jid) });
  assert.equal((await stranger.next()).tag, "failure");
});

test("scans that no phone could make are refused", async () => {
  const client = await companion(URL);
  const offer = await client.next();
  const qr = code(client, offer);
  const stranger = await companion(URL);
  await stranger.next();
  assert.equal((await tell("/scan", {})).status, 404);
  assert.equal((await tell("/scan", { qr: "2@unknown,a,b,c,9" })).status, 404);
  assert.equal((await tell("/scan", { qr: code(stranger, offer) })).status, 422);
  assert.equal((await tell("/scan", { qr })).status, 200);
  assert.equal((await tell("/scan", { qr: code(client, offer, 1) })).status, 409);
  assert.equal((await tell("/nowhere")).status, 404);
});

test("rotate kills the old codes, expire offers none, bad-hmac has another seal", async () => {
  const client = await companion(URL);
  const old = code(client, await client.next());
  await tell("/rotate", { count: 2 });
  const offer = await client.next();
  assert.equal(child(offer, "pair-device").content.length, 2);
  assert.equal((await tell("/scan", { qr: old })).status, 404);
  await tell("/scan", { qr: code(client, offer), fault: "bad-hmac" });
  const sealed = proto.ADVSignedDeviceIdentityHMAC.decode(child(child(await client.next(), "pair-success"), "device-identity").content);
  assert.notDeepEqual(createHmac("sha256", secret).update(sealed.details).digest(), Buffer.from(sealed.hmac));

  const other = await companion(URL);
  await other.next();
  await tell("/expire", {});
  assert.equal(child(await other.next(), "pair-device").content?.length ?? 0, 0);
});

test("drop cuts and refuses for a while; reset takes clients again", async () => {
  const client = await companion(URL);
  await client.next();
  await tell("/drop", { refuseMs: 60_000 });
  await assert.rejects(client.next());
  await assert.rejects(companion(URL));
  await tell("/reset", {});
  await (await companion(URL)).next();
});

test("no part of a code is in the log", () => {
  assert.ok(shown.length > 20);
  for (const part of shown) assert.ok(!log.includes(part));
});
