// GitHub's API, as far as a repository's secrets go: it opens the sealed boxes. `node github.mjs PORT [OWNER/NAME]`, or
// `startGitHub()`. What a secret holds it tells by its SHA-256 alone, so that no test writes a key into a log.
//
// Its hand is under /control: GET what has come, POST /control/trouble what goes wrong from now on:
//   { on: "PUT /actions/secrets/", status: 403, headers: { "x-github-sso": "required" } }   an answer; `on` is a part of "METHOD path"
//   { on: "", hang: true }                                                                  never answers
//   { date: "keep" | "back" }                                                               takes a secret and shows an old date
//   {}                                                                                      nothing
// POST /control/repository { archived, push, scopes } says what GitHub knows of repository and token.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import sodium from "libsodium-wrappers";

const KEY_ID = "568250167242549743";
const base64 = (bytes) => sodium.to_base64(bytes, sodium.base64_variants.ORIGINAL);

/** On loopback, at `port` or a free one. The token is whatever the requests must bring. */
export async function startGitHub({ port = 0, repository = "example/infra", token = "github_pat_end2end" } = {}) {
  await sodium.ready;
  const keys = sodium.crypto_box_keypair();
  const secrets = new Map();
  const requests = [];
  let trouble = {};
  let known = { archived: false, push: true, scopes: null };
  const moment = (at) => at.toISOString().replace(/\.\d+/, "");

  const controls = {
    "GET /control": () => ({ secrets: Object.fromEntries(secrets), requests }),
    "POST /control/trouble": (given) => void (trouble = given),
    "POST /control/repository": (given) => void (known = { ...known, ...given }),
    "POST /control/reset": () => {
      secrets.clear();
      requests.length = 0;
      trouble = {};
      known = { archived: false, push: true, scopes: null };
    },
  };

  function put(name, { encrypted_value, key_id }) {
    let value;
    try {
      const sealed = sodium.from_base64(encrypted_value, sodium.base64_variants.ORIGINAL);
      value = sodium.crypto_box_seal_open(sealed, keys.publicKey, keys.privateKey);
    } catch {
      return [422, { message: "no sealed box for this key" }];
    }
    if (key_id !== KEY_ID) return [422, { message: "another key" }];
    const before = secrets.get(name);
    const back = new Date(Date.now() - 365 * 24 * 3600e3);
    const updatedAt = before && trouble.date === "keep" ? before.updatedAt : moment(trouble.date === "back" ? back : new Date());
    const sha256 = createHash("sha256").update(value).digest("hex");
    secrets.set(name, { sha256, updatedAt, writes: (before?.writes ?? 0) + 1 });
    return before ? [204] : [201, {}];
  }

  function carryOut(method, path, body) {
    const gone = [404, { message: "Not Found" }];
    if (!path.startsWith(`/repos/${repository}`)) return gone;
    const rest = path.slice(`/repos/${repository}`.length);
    const { archived, push } = known;
    if (method === "GET" && rest === "") return [200, { full_name: repository, private: true, archived, permissions: { admin: false, push, pull: true } }];
    if (method === "GET" && rest === "/actions/secrets/public-key") return [200, { key_id: KEY_ID, key: base64(keys.publicKey) }];
    const name = rest.match(/^\/actions\/secrets\/(\w+)$/)?.[1];
    if (!name) return gone;
    if (method === "PUT") return put(name, body);
    const found = secrets.get(name);
    return method === "GET" && found ? [200, { name, created_at: found.updatedAt, updated_at: found.updatedAt }] : gone;
  }

  const server = createServer(async (request, response) => {
    const reply = (status, body, headers = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(body && JSON.stringify(body));
    const path = new URL(request.url, "http://github").pathname;
    const asked = `${request.method} ${path}`;
    let body;
    try {
      const text = Buffer.concat(await request.toArray()).toString();
      body = text ? JSON.parse(text) : {};
    } catch {
      return reply(400, { message: "Problems parsing JSON" });
    }
    if (path.startsWith("/control")) {
      const act = controls[asked];
      return act ? reply(200, act(body) ?? {}) : reply(404, { message: `one of: ${Object.keys(controls).join(", ")}` });
    }
    requests.push(asked);
    if (trouble.on !== undefined && asked.includes(trouble.on)) {
      // Closed with the server.
      if (trouble.hang) return;
      return reply(trouble.status ?? 500, { message: "as told" }, trouble.headers);
    }
    if (request.headers.authorization !== `Bearer ${token}`) return reply(401, { message: "Bad credentials" });
    const [status, said] = carryOut(request.method, path, body);
    reply(status, said, known.scopes === null ? {} : { "x-oauth-scopes": known.scopes });
  });
  await new Promise((listens) => server.listen(port, "127.0.0.1", listens));
  const url = `http://127.0.0.1:${server.address().port}`;
  const tell = async (way, body) => (await fetch(`${url}/control${way}`, body && { method: "POST", body: JSON.stringify(body) })).json();
  return {
    url,
    token,
    repository,
    /** What goes wrong from now on; `{}` for nothing. */
    trouble: (what) => tell("/trouble", what),
    /** What GitHub knows of repository and token. */
    knows: (what) => tell("/repository", what),
    /** The secrets with their SHA-256, and what was asked for. */
    received: () => tell(""),
    reset: () => tell("/reset", {}),
    close: () =>
      new Promise((closed) => {
        server.close(closed);
        server.closeAllConnections();
      }),
  };
}

/** What `received` says of a secret with that value. */
export const sha256 = (value) => createHash("sha256").update(value).digest("hex");

if (process.argv[1] === import.meta.filename) {
  const [port, repository] = process.argv.slice(2);
  const { url } = await startGitHub({ port: Number(port), repository, token: process.env.GITHUB_STAND_IN_TOKEN });
  console.log(`up ${url}`);
}
