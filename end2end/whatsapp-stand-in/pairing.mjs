// From the codes that a client may show to the device that WhatsApp knows afterwards.
import { createHmac, randomBytes, randomInt } from "node:crypto";
import { SERVER, child, node, stanzaId, streamError } from "./nodes.mjs";
import { Curve, encode, isSigned, proto, seconds, sign } from "./parts.mjs";

/** The client's own clock: the first code lives a minute, each other one 20 s. */
const CODES = 6;
const FIRST_MS = 60_000;
const NEXT_MS = 20_000;

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Offers new codes; whatever was offered before is dead. */
export function offer(connection, count = CODES) {
  connection.refs.clear();
  let until = Date.now();
  for (let i = 0; i < count; i++) {
    until += i ? NEXT_MS : FIRST_MS;
    connection.refs.set(`2@${randomBytes(60).toString("base64")}`, until);
  }
  const refs = [...connection.refs.keys()].map((ref) => node("ref", {}, Buffer.from(ref)));
  connection.send(node("iq", { from: SERVER, type: "set", id: stanzaId(), xmlns: "md" }, [node("pair-device", {}, refs)]));
}

/** The phone: signs the companion's identity and hands it to the server. */
export function scan(world, { qr, number = "15550100001", lid = `1${String(number).padStart(14, "0")}`, fault }) {
  const [ref, noise, identity, advSecret] = String(qr).split("#").at(-1).split(",");
  const connection = [...world.connections].find((one) => one.refs.has(ref));
  if (!connection) throw new Refusal(404, "no open connection offered that code");
  if (connection.phase !== "pairing") throw new Refusal(409, `the connection is ${connection.phase}`);
  if (connection.refs.get(ref) < Date.now()) throw new Refusal(410, "that code is too old");
  if (noise !== connection.noiseKey || identity !== connection.identity.toString("base64"))
    throw new Refusal(422, "the keys in the code are not the connection's");

  if (!/^\d+$/.test(number)) throw new Refusal(422, "a number is its digits alone: the gateway would not find the device again");

  const index = 1 + [...world.devices.keys()].filter((jid) => jid.startsWith(`${number}:`)).length;
  const jid = `${number}:${index}@${SERVER}`;
  const own = `${lid}:${index}@lid`;
  const account = world.account(number);
  const details = encode("ADVDeviceIdentity", {
    rawId: randomInt(1, 2 ** 31),
    timestamp: Number(seconds()),
    keyIndex: index,
    accountType: 0,
    deviceType: 0,
  });
  const signed = encode("ADVSignedDeviceIdentity", {
    details,
    accountSignatureKey: account.public,
    accountSignature: sign(account, Buffer.concat([Buffer.from([6, 0]), details, connection.identity])),
  });
  const secret = fault === "bad-hmac" ? randomBytes(32) : Buffer.from(advSecret, "base64");
  const hmac = createHmac("sha256", secret).update(signed).digest();
  connection.pending = { id: stanzaId(), jid, lid: own, details, accountKey: account.public, fault };
  connection.phase = "scanned";
  connection.send(
    node("iq", { from: SERVER, type: "set", id: connection.pending.id, xmlns: "md", t: seconds() }, [
      node("pair-success", {}, [
        node("device-identity", {}, encode("ADVSignedDeviceIdentityHMAC", { details: signed, hmac })),
        node("device", { jid, lid: own }),
        node("platform", { name: "android" }),
      ]),
    ]),
  );
  return { jid };
}

/** The client signed back: the device is known from now on, and the client is told to connect anew. */
export function signed(world, connection, answer) {
  const { jid, lid, details, accountKey, fault } = connection.pending;
  const identity = child(child(answer, "pair-device-sign"), "device-identity");
  const back = proto.ADVSignedDeviceIdentity.decode(identity.content);
  const message = Buffer.concat([Buffer.from([6, 1]), details, connection.identity, accountKey]);
  const good = Buffer.from(back.details).equals(details) && isSigned(connection.identity, message, back.deviceSignature);
  if (!good) return connection.end(streamError("401", "device_removed"));
  world.devices.set(jid, { noise: connection.noiseKey, lid, preKeys: 0, created: seconds(), removed: fault === "passkey" });
  connection.phase = "paired";
  if (fault !== "no-restart" && fault !== "passkey") connection.end(streamError("515"));
}

/** A known device is let in, and takes the place of an older connection of its own; any other gets 401. */
export function logIn(world, connection, { username, device: index }) {
  const jid = `${username}:${index}@${SERVER}`;
  const device = world.devices.get(jid);
  if (!device || device.removed || device.noise !== connection.noiseKey) {
    connection.send(node("failure", { reason: "401", location: "stand-in" }));
    return connection.close();
  }
  for (const other of world.connections) if (other !== connection && other.jid === jid) other.end(streamError(undefined, "replaced"));
  Object.assign(connection, { phase: "live", jid, device });
  const { lid, created } = device;
  connection.send(node("success", { t: seconds(), lid, creation: created, location: "stand-in", props: "27" }));
  connection.send(node("ib", { from: SERVER }, [node("offline", { count: "0" })]));
}

/** Keys of a phone's account, made when first needed. */
export const newAccount = () => Curve.generateKeyPair();
