// Prints `N passed, N failed` over vitest's JSON report and the failed static checks; exits non-zero if anything failed.
import { readFileSync } from 'node:fs';

const [reportPath, failedChecks] = process.argv.slice(2);
let report;
try {
  report = JSON.parse(readFileSync(reportPath, 'utf8'));
} catch {
  report = { numPassedTests: 0, numFailedTests: 0, numFailedTestSuites: 1 };
}
const brokenFiles = (report.testResults ?? []).filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0,
);
const failed = report.numFailedTests + brokenFiles.length + (report.testResults ? 0 : 1) + Number(failedChecks);
const skipped = report.numPendingTests ?? 0;
process.stdout.write(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exit(failed > 0 || report.numPassedTests === 0 ? 1 : 0);
