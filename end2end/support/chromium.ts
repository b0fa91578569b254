import type { LaunchOptions } from "@playwright/test";

/** Debian's Chromium; as root it runs without its own sandbox. It asks nobody outside. */
export const chromium: LaunchOptions = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // An error page does not load itself again while a test does.
    "--disable-auto-reload",
  ],
};
