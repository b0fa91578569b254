import { start } from "./stack.ts";

export default async function globalSetup() {
  // Tests that bring a stack of their own need no other.
  if (process.env.END2END_STACK === "own") return;
  const begun = Date.now();
  process.stdout.write("Starting the real parts: gateway, panel, Postgres, Caddy …\n");
  const { url } = await start();
  process.stdout.write(`They are up at ${url} after ${Math.round((Date.now() - begun) / 1000)} s\n`);
}
