import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { STATUS } from '../../core/api/problem.ts';
import { FAILURES } from '../../core/failure.ts';
import { FAILURES_DOC, failuresDoc } from '../support/failures-doc.ts';

test('docs/failures.md lists every code as the catalogue has it (node test/support/failures-doc.ts writes it)', () => {
  expect(readFileSync(FAILURES_DOC, 'utf8')).toBe(failuresDoc());
});

test('every code has a status, a title and advice that is a sentence', () => {
  expect(Object.keys(STATUS)).toEqual(Object.keys(FAILURES));
  for (const [code, { title, advice }] of Object.entries(FAILURES)) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(advice).toMatch(/^[A-Z].*\.$/s);
  }
});
