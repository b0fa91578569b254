// Noise_XX_25519_AESGCM_SHA256, the responder's side, as WhatsApp Web frames it.
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from "node:crypto";

/** "WA", dictionary version: what a client sends before its first frame. */
export const INTRO = Buffer.from([0x57, 0x41, 6, 3]);
/** Exactly 32 bytes, so it is its own hash. */
const PROTOCOL = Buffer.from("Noise_XX_25519_AESGCM_SHA256\0\0\0\0");
const NONE = Buffer.alloc(0);

export class Noise {
  constructor(clientEphemeral) {
    this.hash = PROTOCOL;
    this.salt = PROTOCOL;
    this.key = PROTOCOL;
    this.counter = 0;
    this.mixHash(INTRO);
    this.mixHash(clientEphemeral);
  }

  mixHash(data) {
    this.hash = createHash("sha256").update(this.hash).update(data).digest();
  }

  mixKey(shared) {
    [this.salt, this.key] = this.#split(shared);
    this.counter = 0;
  }

  seal(plain) {
    const sealed = seal(this.key, this.counter++, plain, this.hash);
    this.mixHash(sealed);
    return sealed;
  }

  open(sealed) {
    const plain = open(this.key, this.counter++, sealed, this.hash);
    this.mixHash(sealed);
    return plain;
  }

  /** The keys after the hand-shake; the first half is for what the client sends. */
  finish() {
    const [fromClient, toClient] = this.#split(NONE);
    let reads = 0;
    let writes = 0;
    return { open: (data) => open(fromClient, reads++, data, NONE), seal: (data) => seal(toClient, writes++, data, NONE) };
  }

  #split(shared) {
    const both = Buffer.from(hkdfSync("sha256", shared, this.salt, "", 64));
    return [both.subarray(0, 32), both.subarray(32)];
  }
}

function nonce(count) {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(count, 8);
  return bytes;
}

export function seal(key, count, plain, bound) {
  const cipher = createCipheriv("aes-256-gcm", key, nonce(count)).setAAD(bound);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

export function open(key, count, sealed, bound) {
  const cipher = createDecipheriv("aes-256-gcm", key, nonce(count)).setAAD(bound).setAuthTag(sealed.subarray(-16));
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
}

/** A frame: its length in three bytes, then the payload. */
export function framed(payload) {
  const head = Buffer.alloc(3);
  head.writeUIntBE(payload.length, 0, 3);
  return Buffer.concat([head, payload]);
}

/** Takes whole frames off the front of `buffer`; returns them and what is left. */
export function frames(buffer) {
  const whole = [];
  let rest = buffer;
  while (rest.length >= 3) {
    const size = rest.readUIntBE(0, 3);
    if (rest.length < size + 3) break;
    whole.push(rest.subarray(3, size + 3));
    rest = rest.subarray(size + 3);
  }
  return { whole, rest };
}
