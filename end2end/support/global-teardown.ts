import { existsSync } from "node:fs";
import { scriptedFolder } from "./scripted.ts";
import { stop } from "./stack.ts";

export default async function globalTeardown() {
  const outer = process.env.END2END_FOLDER;
  if (existsSync(scriptedFolder)) {
    process.env.END2END_FOLDER = scriptedFolder;
    await stop();
    process.env.END2END_FOLDER = outer;
  }
  await stop();
}
