// One client: the hand-shake, then nodes in and out.
import { answer } from "./answers.mjs";
import { INTRO, Noise, framed, frames } from "./noise.mjs";
import { child, node, result } from "./nodes.mjs";
import { logIn, offer, signed } from "./pairing.mjs";
import { Curve, decodeBinaryNode, encode, encodeBinaryNode, proto, seconds } from "./parts.mjs";

/** A stream error is read before the socket closes. */
const FAREWELL_MS = 250;

export class Connection {
  phase = "hello";
  refs = new Map();
  #buffer = Buffer.alloc(0);
  #introduced = false;

  constructor(world, socket, host) {
    this.world = world;
    this.socket = socket;
    this.host = host;
    let queue = Promise.resolve();
    socket.on("message", (data) => {
      queue = queue.then(() => this.#receive(Buffer.from(data))).catch((error) => {
        world.log("protocol error", { phase: this.phase, error: String(error) });
        this.close();
      });
    });
    socket.on("close", (code) => {
      world.connections.delete(this);
      world.log("closed", { phase: this.phase, code });
    });
    socket.on("error", (error) => world.log("socket error", { error: String(error) }));
  }

  send(what) {
    if (this.socket.readyState === 1 && this.transport) this.socket.send(framed(this.transport.seal(encodeBinaryNode(what))));
  }

  end(error) {
    this.send(error);
    setTimeout(() => this.close(), FAREWELL_MS).unref();
  }

  close() {
    this.socket.close();
  }

  async #receive(data) {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    if (!this.#introduced && !this.#intro()) return;
    const { whole, rest } = frames(this.#buffer);
    this.#buffer = rest;
    for (const frame of whole) {
      if (this.phase === "hello") this.#hello(frame);
      else if (this.phase === "finish") this.#finish(frame);
      else this.#node(await decodeBinaryNode(this.transport.open(frame)));
    }
  }

  /** The intro, after a routing preamble ("ED" 0 1, length, bytes) when there is one. */
  #intro() {
    let rest = this.#buffer;
    if (rest.subarray(0, 2).toString() === "ED") {
      if (rest.length < 7) return false;
      rest = rest.subarray(7 + rest.readUIntBE(4, 3));
    }
    if (rest.length < INTRO.length) return false;
    if (!rest.subarray(0, INTRO.length).equals(INTRO)) throw new Error("this is no WhatsApp client");
    this.#buffer = rest.subarray(INTRO.length);
    this.#introduced = true;
    return true;
  }

  #hello(frame) {
    if (this.world.mute) return;
    const client = proto.HandshakeMessage.decode(frame).clientHello.ephemeral;
    this.ephemeral = Curve.generateKeyPair();
    this.noise = new Noise(client);
    this.noise.mixHash(this.ephemeral.public);
    this.noise.mixKey(Curve.sharedKey(this.ephemeral.private, client));
    const sealed = this.noise.seal(this.world.key.public);
    this.noise.mixKey(Curve.sharedKey(this.world.key.private, client));
    const payload = this.noise.seal(this.world.certificate);
    this.phase = "finish";
    this.socket.send(framed(encode("HandshakeMessage", { serverHello: { ephemeral: this.ephemeral.public, static: sealed, payload } })));
  }

  #finish(frame) {
    const { clientFinish } = proto.HandshakeMessage.decode(frame);
    const key = this.noise.open(Buffer.from(clientFinish.static));
    this.noise.mixKey(Curve.sharedKey(this.ephemeral.private, key));
    const payload = proto.ClientPayload.decode(this.noise.open(Buffer.from(clientFinish.payload)));
    this.transport = this.noise.finish();
    this.noiseKey = key.toString("base64");
    if (!payload.devicePairingData) return logIn(this.world, this, payload);
    this.phase = "pairing";
    this.identity = Buffer.from(payload.devicePairingData.eIdent);
    offer(this);
    this.world.log("offers codes");
  }

  #node(what) {
    const { tag, attrs } = what;
    if (tag === "iq" && this.phase === "scanned" && attrs.id === this.pending?.id) return signed(this.world, this, what);
    if (tag === "iq" && attrs.xmlns === "md" && child(what, "remove-companion-device")) {
      if (this.device) this.device.removed = true;
      return this.send(result(attrs));
    }
    if (tag === "iq" && attrs.type !== "result" && attrs.type !== "error") return this.send(result(attrs, answer(this.device, attrs, what)));
    if (tag === "message") this.send(node("ack", { class: "message", id: attrs.id, from: attrs.to, t: seconds() }));
  }
}
