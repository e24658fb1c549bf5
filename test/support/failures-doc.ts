import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { STATUS } from '../../core/api/problem.ts';
import { FAILURES, type FailureCode } from '../../core/failure.ts';

export const FAILURES_DOC = join(import.meta.dirname, '..', '..', 'docs', 'failures.md');

const HEAD = `# Every error code

An error is \`application/problem+json\` (RFC 9457) with a stable \`code\`, the \`field\` to correct where there is one, and \`advice\`; on \`/v2\` also
the Open Inference Protocol's \`error\` string. Branch on \`code\`: it is never renamed or used for anything else. Retryable: the same request
may succeed later without being changed; 429 and 503 always say when in \`Retry-After\`.

Written from core/failure.ts and core/api/problem.ts by \`node test/support/failures-doc.ts\`.

| code | status | retryable | what it means | what to do |
|---|---|---|---|---|
`;

/** docs/failures.md as the catalogue has it. */
export function failuresDoc(): string {
  const rows = (Object.keys(FAILURES) as FailureCode[]).map((code) => {
    const { title, retryable, advice } = FAILURES[code];
    return `| \`${code}\` | ${STATUS[code]} | ${retryable ? 'yes' : 'no'} | ${cell(title)} | ${cell(advice)} |\n`;
  });
  return HEAD + rows.join('');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (import.meta.main) writeFileSync(FAILURES_DOC, failuresDoc());
