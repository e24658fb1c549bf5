import { expect } from 'vitest';
import { STATUS } from '../../core/api/problem.ts';
import { FAILURES, type FailureCode } from '../../core/failure.ts';
import type { Answer } from './http-client.ts';

export type ProblemJson = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: FailureCode;
  readonly request_id: string;
  readonly retryable: boolean;
  readonly advice: string;
  readonly field?: string;
  readonly error?: string;
  readonly [member: string]: unknown;
};

type ProblemParts = {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: string;
};

/** What is wrong with an answer that should be a problem of the catalogue; empty if nothing. */
export function problemFaults(parts: ProblemParts): string[] {
  const faults: string[] = [];
  if (parts.contentType !== 'application/problem+json') faults.push(`content type ${parts.contentType}`);
  let body: Partial<ProblemJson>;
  try {
    body = JSON.parse(parts.body) as Partial<ProblemJson>;
  } catch {
    return [...faults, 'body is not JSON'];
  }
  const { code } = body;
  if (code === undefined || !Object.hasOwn(FAILURES, code)) return [...faults, `code ${code} is not in the catalogue`];
  if (STATUS[code] !== parts.status || body.status !== parts.status) faults.push(`${code} with status ${parts.status}`);
  if (body.advice !== FAILURES[code].advice) faults.push('advice missing');
  if (body.retryable !== FAILURES[code].retryable) faults.push('retryable missing');
  // Of a request that could not be read the path is not known.
  if (typeof body.instance !== 'string') faults.push('instance missing');
  for (const member of ['type', 'title', 'detail', 'request_id'] as const) {
    if (typeof body[member] !== 'string' || body[member] === '') faults.push(`${member} missing`);
  }
  const isV2 = body.instance?.startsWith('/v2') === true;
  if (isV2 && (typeof body.error !== 'string' || !body.error.startsWith(code))) faults.push('error string missing');
  if ((parts.status === 429 || parts.status === 503) && !/^[1-9][0-9]*$/.test(parts.retryAfter ?? '')) {
    faults.push('Retry-After missing');
  }
  return faults;
}

/** Expects a whole problem of the catalogue with this code, and at least these members; returns it. */
export function expectProblem(answer: Answer, code: FailureCode, members: object = {}): ProblemJson {
  const faults = problemFaults({
    status: answer.status,
    contentType: answer.header('content-type'),
    retryAfter: answer.header('retry-after'),
    body: answer.text,
  });
  expect({ status: answer.status, faults, body: answer.text }).toEqual({
    status: STATUS[code],
    faults: [],
    body: answer.text,
  });
  const body = answer.json<ProblemJson>();
  expect(body).toMatchObject({ code, ...members });
  return body;
}
