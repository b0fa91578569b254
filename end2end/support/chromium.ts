import { join } from "node:path";
import type { LaunchOptions } from "@playwright/test";

/**
 * Debian's Chromium; as root it runs without its own sandbox. It asks nobody outside. Its network is not the
 * host's: whenever an interface comes or goes beside it, Chromium ends what it loads, and containers do that.
 */
export const chromium: LaunchOptions = {
  executablePath: join(import.meta.dirname, "browser.sh"),
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    `--host-resolver-rules=MAP *.localhost ${process.env.END2END_DOOR}`,
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // An error page does not load itself again while a test does.
    "--disable-auto-reload",
  ],
};
