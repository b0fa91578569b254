import { defineConfig, devices } from "@playwright/test";
import { chromium } from "./support/chromium.ts";

// One gateway, one panel: tests of a stack take turns. Nothing is retried: a flake is a defect.
export default defineConfig({
  testDir: "./tests",
  globalSetup: "./support/global-setup.ts",
  globalTeardown: "./support/global-teardown.ts",
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  reporter: [["list"], ["./support/counts.ts"]],
  outputDir: "./test-results",
  use: {
    // The run's own Caddy signs with its own authority; the panel checks it, browsers need not.
    ignoreHTTPSErrors: true,
    launchOptions: chromium,
    // Recording costs as much as a third of the test, so it is asked for: PANEL_TRACE=1 with the test that failed.
    trace: process.env.PANEL_TRACE ? { mode: "retain-on-failure", screenshots: false, snapshots: true, sources: true } : "off",
    screenshot: "only-on-failure",
    actionTimeout: 20_000,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
  },
  projects: [
    { name: "desktop", testMatch: "pages/*.spec.ts", use: { viewport: { width: 1280, height: 800 } } },
    { name: "phone", testMatch: "pages/*.spec.ts", use: { ...devices["Pixel 7"], viewport: { width: 390, height: 844 }, colorScheme: "dark" } },
    // On the phone alone: a monitor gets the same markup and the same styles.
    { name: "without-javascript", testMatch: "plain/*.spec.ts", use: { viewport: { width: 390, height: 844 }, javaScriptEnabled: false } },
    { name: "operations", testMatch: "operations/*.spec.ts", use: { viewport: { width: 1280, height: 800 } } },
    { name: "faults", testMatch: "faults/*.spec.ts", use: { viewport: { width: 1280, height: 800 } } },
    { name: "whatsapp", testMatch: "whatsapp/*.spec.ts", use: { viewport: { width: 1280, height: 800 } } },
    // On a stack of their own.
    { name: "scripted", testMatch: "scripted/*.spec.ts", use: { viewport: { width: 1280, height: 800 } } },
    // Alone.
    { name: "daemon", testMatch: "daemon/*.spec.ts", use: { viewport: { width: 1280, height: 800 } } },
  ],
});
