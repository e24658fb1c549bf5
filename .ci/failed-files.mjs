// Prints the test files of vitest's JSON report that failed, one a line, if there are no more than so many.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [reportPath, most] = process.argv.slice(2);
let files = [];
try {
  files = JSON.parse(readFileSync(reportPath, 'utf8')).testResults;
} catch {
  // Without a report there is nothing to repeat.
}
const failed = files.filter(({ status }) => status === 'failed').map(({ name }) => relative('.', name));
if (failed.length <= Number(most)) for (const file of failed) process.stdout.write(`${file}\n`);
