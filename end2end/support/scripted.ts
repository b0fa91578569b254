/** A second stack, whose gateway starts in a moment and misbehaves when told to: for faults. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "./people.ts";
import { factsFile, start } from "./stack.ts";

const outer = process.env.END2END_FOLDER ?? "";
export const scriptedFolder = join(outer, "scripted");

/** Every test of this file meets the scripted stack; the first file starts it, the end of the run stops it. */
export function scriptedStack(): void {
  test.beforeAll(async () => {
    process.env.END2END_FOLDER = scriptedFolder;
    if (existsSync(factsFile())) return;
    mkdirSync(scriptedFolder, { recursive: true, mode: 0o755 });
    await start("scripted");
  });
  test.afterAll(() => {
    process.env.END2END_FOLDER = outer;
  });
}
