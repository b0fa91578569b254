// A client for the stand-in's own tests: Noise XX from the initiator's side, then nodes in and out.
import { hkdfSync } from "node:crypto";
import { INTRO, Noise, framed, frames, open, seal } from "./noise.mjs";
import { Curve, decodeBinaryNode, encode, encodeBinaryNode, proto } from "./parts.mjs";

const NONE = Buffer.alloc(0);

/** Connects as a new device that wants codes, or with `login` ({username, device}) as one that was linked. */
export async function companion(url, { keys = Curve.generateKeyPair(), identity = Curve.generateKeyPair(), login } = {}) {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const inbox = arrivals(socket);
  await new Promise((done, failed) => {
    socket.onopen = done;
    socket.onerror = () => failed(new Error(`${url} takes no client`));
  });

  const ephemeral = Curve.generateKeyPair();
  const noise = new Noise(ephemeral.public);
  const hello = encode("HandshakeMessage", { clientHello: { ephemeral: ephemeral.public } });
  socket.send(Buffer.concat([INTRO, framed(hello)]));

  const { serverHello } = proto.HandshakeMessage.decode(await inbox.next());
  const server = Buffer.from(serverHello.ephemeral);
  noise.mixHash(server);
  noise.mixKey(Curve.sharedKey(ephemeral.private, server));
  const serverKey = noise.open(Buffer.from(serverHello.static));
  noise.mixKey(Curve.sharedKey(ephemeral.private, serverKey));
  const certificate = proto.CertChain.decode(noise.open(Buffer.from(serverHello.payload)));

  const sealedKey = noise.seal(keys.public);
  noise.mixKey(Curve.sharedKey(keys.private, server));
  const payload = login ?? { devicePairingData: { eIdent: identity.public } };
  const sealedPayload = noise.seal(encode("ClientPayload", payload));
  socket.send(framed(encode("HandshakeMessage", { clientFinish: { static: sealedKey, payload: sealedPayload } })));

  // Written out here, so that the server's own split is checked and not just used twice.
  const both = Buffer.from(hkdfSync("sha256", NONE, noise.salt, "", 64));
  let reads = 0;
  let writes = 0;
  return {
    keys,
    identity,
    serverKey,
    certificate,
    next: async () => decodeBinaryNode(open(both.subarray(32), reads++, await inbox.next(), NONE)),
    send: (what) => socket.send(framed(seal(both.subarray(0, 32), writes++, encodeBinaryNode(what), NONE))),
    close: () => socket.close(),
  };
}

/** Whole frames, one at a time, whoever comes first: the reader or the frame. */
function arrivals(socket) {
  let rest = NONE;
  let closed = false;
  const here = [];
  const waiting = [];
  const pass = () => {
    while (here.length && waiting.length) waiting.shift().done(here.shift());
    if (closed) for (const one of waiting.splice(0)) one.failed(new Error("the server closed the connection"));
  };
  socket.onmessage = ({ data }) => {
    const taken = frames(Buffer.concat([rest, Buffer.from(data)]));
    rest = taken.rest;
    here.push(...taken.whole);
    pass();
  };
  socket.onclose = () => {
    closed = true;
    pass();
  };
  return {
    next: () =>
      new Promise((done, failed) => {
        waiting.push({ done, failed });
        pass();
      }),
  };
}
