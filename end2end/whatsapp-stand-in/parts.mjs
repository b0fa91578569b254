// What is taken from the plugin's own baileys: codec and curve, nothing of its behaviour.
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The plugin's copy in the image; its project's name holds a hash. */
function baileys() {
  if (process.env.BAILEYS) return process.env.BAILEYS;
  const projects = "/home/node/.openclaw/npm/projects";
  for (const project of readdirSync(projects)) {
    const found = join(projects, project, "node_modules/@openclaw/whatsapp/node_modules/baileys");
    if (existsSync(found)) return found;
  }
  throw new Error(`no WhatsApp plugin below ${projects}: run this in the gateway's image, or set BAILEYS`);
}

const folder = baileys();
const load = (path) => import(pathToFileURL(join(folder, path)).href);
const require = createRequire(join(folder, "package.json"));

export const { proto } = await load("WAProto/index.js");
export const { Curve } = await load("lib/Utils/crypto.js");
export const { encodeBinaryNode, decodeBinaryNode } = await load("lib/WABinary/index.js");
export const { WebSocketServer } = require("ws");
// Not Curve.verify: in baileys 7.0.0-rc14 it says true to every well-formed signature.
const { verify } = require("curve25519-js");

/** Signs, and really verifies, so that the stand-in stays right for a client that checks properly. */
export function sign(pair, message) {
  const signature = Buffer.from(Curve.sign(pair.private, message));
  if (!isSigned(pair.public, message, signature)) throw new Error("a signature of our own does not verify");
  return signature;
}

export const isSigned = (key, message, signature) => verify(key, message, signature);

export const encode = (type, fields) => Buffer.from(proto[type].encode(proto[type].fromObject(fields)).finish());

export const seconds = () => String(Math.floor(Date.now() / 1000));
