import { appendFileSync } from "node:fs";
import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";

/**
 * Ends the run with what failed, a line each, and one line that any reader understands. Of a run in several parts the
 * failures are kept in END2END_FAILED as well, to be said once more at its very end.
 */
export default class Counts implements Reporter {
  private passed = 0;
  private failed = 0;
  private said: string[] = [];

  onTestEnd(test: TestCase, result: TestResult) {
    if (result.status === "passed") this.passed += 1;
    else if (result.status !== "skipped" || test.expectedStatus !== "skipped") {
      this.failed += 1;
      if (result.error) this.said.push(`${place(test)} › ${test.title}: ${short(result.error.message ?? result.error.value ?? "")}`);
    }
  }

  onEnd(_result: FullResult) {
    for (const line of this.said) process.stdout.write(`\n${line}\n`);
    const file = process.env.END2END_FAILED;
    if (file && this.said.length > 0) appendFileSync(file, this.said.map((line) => `${line}\n`).join(""));
    process.stdout.write(`\nend-to-end: ${this.passed} passed, ${this.failed} failed\n`);
  }
}

/** Which project and file, as `[phone] pages/audit.spec.ts:12`. */
function place(test: TestCase): string {
  const file = test.location.file.replace(/^.*\/tests\//, "");
  return `[${test.parent.project()?.name ?? ""}] ${file}:${test.location.line}`;
}

/** An error in one line. */
function short(message: string): string {
  const plain = message.replace(/\x1b\[[0-9;]*m/g, "").replace(/\s+/g, " ");
  return plain.length > 400 ? `${plain.slice(0, 400)} …` : plain;
}
