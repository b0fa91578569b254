// Moves the files of an account's link within the gateway's state folder. Run inside the container by the gateway's
// own Node: `node -e <this> TASK OPERATION [ACCOUNT]`. Every task may be repeated after it broke off anywhere.
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const [task, operation, account] = process.argv.slice(1);
const home = process.env.OPENCLAW_HOME || os.homedir();
const state = process.env.OPENCLAW_STATE_DIR || path.join(home, ".openclaw");
// In the same volume as the link, so that a rename is all it takes.
const work = path.join(state, `panel-link-${operation}`);
const at = (name) => path.join(work, name);
const links = path.join(state, "credentials", "whatsapp");
const live = account && path.join(links, account);
if (live && path.dirname(live) !== links) throw new Error(`${account} is no account`);
const remove = (folder) => fs.rmSync(folder, { recursive: true, force: true });

/** Copies a folder whole or not at all. */
function copy(from, to) {
  const part = at("part");
  remove(part);
  fs.cpSync(from, part, { recursive: true, preserveTimestamps: true });
  fs.mkdirSync(path.dirname(to), { recursive: true, mode: 0o700 });
  remove(to);
  fs.renameSync(part, to);
}

const tasks = {
  prepare() {
    fs.mkdirSync(work, { recursive: true, mode: 0o700 });
    remove(at("new"));
    process.stdout.write(JSON.stringify({ folder: work, user: process.getuid(), group: process.getgid() }));
  },
  "set-aside"() {
    fs.mkdirSync(work, { recursive: true, mode: 0o700 });
    if (fs.existsSync(at("aside")) || fs.existsSync(at("none"))) return;
    if (fs.existsSync(live)) fs.renameSync(live, at("aside"));
    else fs.writeFileSync(at("none"), "");
  },
  place() {
    if (!fs.existsSync(at("new"))) {
      if (fs.existsSync(at("placing"))) return;
      throw new Error("nothing was brought");
    }
    fs.writeFileSync(at("placing"), "");
    fs.mkdirSync(path.dirname(live), { recursive: true, mode: 0o700 });
    remove(live);
    fs.renameSync(at("new"), live);
  },
  "put-back"() {
    if (fs.existsSync(at("aside"))) copy(at("aside"), live);
    else if (fs.existsSync(at("none"))) remove(live);
  },
  clear() {
    remove(work);
  },
};
tasks[task]();
