// Looks into the gateway's state folder, and moves all that is in it aside and back. Run by the gateway's own Node:
// `node -e <this> TASK [OPERATION]`. Every task may be repeated after it broke off anywhere.
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const [task, operation] = process.argv.slice(1);
const home = process.env.OPENCLAW_HOME || os.homedir();
const state = process.env.OPENCLAW_STATE_DIR || path.join(home, ".openclaw");
const PREFIX = ".panel-aside-";
// In the same volume, so that a rename is all it takes.
const work = path.join(state, `${PREFIX}${operation}`);
const files = path.join(work, "files");
// There once everything was moved; what is beside `work` then has come since.
const moved = path.join(work, "moved");

const exists = (place) => fs.existsSync(place);
const remove = (place) => fs.rmSync(place, { recursive: true, force: true });
const names = (folder) => (exists(folder) ? fs.readdirSync(folder).sort() : []);
const folders = (folder) => names(folder).filter((name) => fs.lstatSync(path.join(folder, name)).isDirectory());
/** What is the gateway's own, and not laid there by the panel. */
const contents = () => names(state).filter((name) => !name.startsWith(PREFIX));

/** Configuration and plugins: what a person set up, and not what the gateway learnt. */
function isKept(name) {
  if (["npm", "extensions", "plugins", "secrets", ".env"].includes(name)) return true;
  const place = path.join(files, name);
  return /\.json5?$/.test(name) && fs.lstatSync(place).isFile();
}

/** Bytes of all files below a folder; links are not followed. */
function size(folder) {
  let bytes = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    // A file may go while a gateway runs.
    try {
      if (entry.isDirectory()) bytes += size(place);
      else if (entry.isFile()) bytes += fs.statSync(place).size;
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  return bytes;
}

/** Devices that are paired: in the state database, or in a file of older releases. */
function devices() {
  const list = path.join(state, "devices", "paired.json");
  const database = path.join(state, "state", "openclaw.sqlite");
  try {
    if (exists(list)) return Object.keys(JSON.parse(fs.readFileSync(list, "utf8"))).length;
    if (!exists(database)) return 0;
    const { DatabaseSync } = require("node:sqlite");
    const open = new DatabaseSync(database, { readOnly: true });
    const row = open.prepare("SELECT count(*) AS count FROM device_pairing_paired").get();
    open.close();
    return Number(row.count);
  } catch {
    // A state that is beyond repair can still be wiped.
    return 0;
  }
}

/** Packages that were installed: each has a project of its own. */
function plugins() {
  const projects = path.join(state, "npm", "projects");
  const found = [];
  for (const project of folders(projects)) {
    try {
      const { dependencies, openclaw } = JSON.parse(fs.readFileSync(path.join(projects, project, "package.json"), "utf8"));
      const helpers = openclaw?.managedPeerDependencies ?? [];
      found.push(...Object.keys(dependencies ?? {}).filter((name) => !helpers.includes(name)));
    } catch {
      found.push(project);
    }
  }
  return [...found, ...folders(path.join(state, "extensions"))];
}

const tasks = {
  survey() {
    const links = path.join(state, "credentials", "whatsapp");
    const survey = {
      folder: fs.realpathSync(state),
      bytes: size(state),
      config: exists(path.join(state, "openclaw.json")),
      links: folders(links).filter((account) => exists(path.join(links, account, "creds.json"))),
      devices: devices(),
      agents: folders(path.join(state, "agents")),
      workspaces: folders(state).filter((name) => name.startsWith("workspace")),
      plugins: plugins(),
    };
    process.stdout.write(JSON.stringify(survey));
  },
  "set-aside"() {
    if (exists(moved)) return;
    fs.mkdirSync(files, { recursive: true, mode: 0o700 });
    for (const name of contents()) fs.renameSync(path.join(state, name), path.join(files, name));
    fs.writeFileSync(moved, "");
  },
  bring() {
    if (!exists(moved)) throw new Error("nothing was set aside");
    for (const name of names(files).filter(isKept)) {
      const place = path.join(state, name);
      const part = path.join(work, "part");
      remove(part);
      fs.cpSync(path.join(files, name), part, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      remove(place);
      fs.renameSync(part, place);
    }
  },
  "put-back"() {
    if (exists(moved)) {
      for (const name of contents()) remove(path.join(state, name));
      // From here on what is beside was moved back.
      fs.unlinkSync(moved);
    }
    for (const name of names(files)) fs.renameSync(path.join(files, name), path.join(state, name));
    remove(work);
  },
  clear() {
    remove(work);
  },
};
tasks[task]();
