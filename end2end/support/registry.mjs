// An npm registry of the packages that the WhatsApp plugin is made of, packed from where they are installed. It runs in
// the gateway's own container, on loopback: `node registry.mjs MODULES STORE PORT`.
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const [modules, store, port] = process.argv.slice(2);
const folders = readdirSync(modules).flatMap((name) =>
  name.startsWith("@") ? readdirSync(join(modules, name)).map((part) => join(name, part)) : name.startsWith(".") ? [] : [name]);
mkdirSync(store, { recursive: true });
const packages = new Map(folders.map((name) => {
  const folder = join(modules, name);
  const [packed] = JSON.parse(execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", store, folder], { encoding: "utf8" }));
  const bytes = readFileSync(join(store, packed.filename));
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return [name, { manifest, bytes, file: packed.filename }];
}));
createServer((request, answer) => {
  const path = decodeURIComponent(new URL(request.url, "http://registry").pathname).slice(1);
  const tarball = [...packages.values()].find(({ file }) => path === `tarballs/${file}`);
  if (tarball) return answer.end(tarball.bytes);
  const found = packages.get(path);
  if (!found) return answer.writeHead(404).end("{}");
  const { manifest, bytes, file } = found;
  const dist = {
    tarball: `http://127.0.0.1:${port}/tarballs/${file}`,
    integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
    shasum: createHash("sha1").update(bytes).digest("hex"),
  };
  const { version } = manifest;
  answer.setHeader("content-type", "application/json");
  answer.end(JSON.stringify({ name: path, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } }, time: { [version]: "2026-01-01T00:00:00.000Z" } }));
}).listen(Number(port), "127.0.0.1", () => console.log("up"));
