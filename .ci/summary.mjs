// Prints `N passed, N failed` over vitest's JSON reports and the failed static checks; exits non-zero if anything failed.
// A file of the second report stands in the place of the same file of the first.
import { readFileSync } from 'node:fs';

const [firstPath, secondPath, failedChecks] = process.argv.slice(2);
const first = filesOf(firstPath);
const second = new Map((filesOf(secondPath) ?? []).map((file) => [file.name, file]));
const files = (first ?? []).map((file) => second.get(file.name) ?? file);
const tests = files.flatMap((file) => file.assertionResults);
const count = (...statuses) => tests.filter(({ status }) => statuses.includes(status)).length;

const broken = files.filter((file) => file.status === 'failed' && !file.assertionResults.some(isFailed)).length;
const passed = count('passed');
const failed = count('failed') + broken + (first === undefined ? 1 : 0) + Number(failedChecks);
const skipped = count('skipped', 'pending', 'todo', 'disabled');
for (const { name, status } of second.values())
  if (status === 'passed') process.stdout.write(`unsteady: failed beside others, passed alone: ${name}\n`);
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

function isFailed({ status }) {
  return status === 'failed';
}

function filesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).testResults;
  } catch {
    return undefined;
  }
}
