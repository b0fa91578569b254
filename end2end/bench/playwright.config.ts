import { defineConfig } from "@playwright/test";
import { chromium } from "../support/chromium.ts";

// Figures, not verdicts: a benchmark prints what it measured beside what is wanted and fails only when
// it could not measure.
export default defineConfig({
  testDir: ".",
  testMatch: "*.bench.ts",
  globalSetup: "../support/global-setup.ts",
  globalTeardown: "../support/global-teardown.ts",
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 900_000,
  reporter: [["list"]],
  outputDir: "../test-results",
  use: { ignoreHTTPSErrors: true, launchOptions: chromium, viewport: { width: 1280, height: 800 } },
});
