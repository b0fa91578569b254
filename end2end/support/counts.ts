import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";

/** Ends the run with one line that any reader understands. */
export default class Counts implements Reporter {
  private passed = 0;
  private failed = 0;

  onTestEnd(test: TestCase, result: TestResult) {
    if (result.status === "passed") this.passed += 1;
    else if (result.status !== "skipped" || test.expectedStatus !== "skipped") this.failed += 1;
  }

  onEnd(_result: FullResult) {
    process.stdout.write(`\nend-to-end: ${this.passed} passed, ${this.failed} failed\n`);
  }
}
