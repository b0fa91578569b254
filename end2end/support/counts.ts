import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";

/** Ends the run with what failed, a line each, and one line that any reader understands. */
export default class Counts implements Reporter {
  private passed = 0;
  private failed = 0;
  private said: string[] = [];

  onTestEnd(test: TestCase, result: TestResult) {
    if (result.status === "passed") this.passed += 1;
    else if (result.status !== "skipped" || test.expectedStatus !== "skipped") {
      this.failed += 1;
      if (result.error) this.said.push(`${test.title}: ${short(result.error.message ?? result.error.value ?? "")}`);
    }
  }

  onEnd(_result: FullResult) {
    for (const line of this.said) process.stdout.write(`\n${line}\n`);
    process.stdout.write(`\nend-to-end: ${this.passed} passed, ${this.failed} failed\n`);
  }
}

/** An error in one line. */
function short(message: string): string {
  const plain = message.replace(/\x1b\[[0-9;]*m/g, "").replace(/\s+/g, " ");
  return plain.length > 400 ? `${plain.slice(0, 400)} …` : plain;
}
