import { describe, expect, it } from 'vitest';
import { STATUS, toProblem, toV2Error } from '../../../core/api/problem.ts';
import { FAILURES, Failure, type FailureCode } from '../../../core/failure.ts';

const CONTEXT = { instance: '/v2/models/m/infer', requestId: 'req_1' };
const CODES = Object.keys(FAILURES) as FailureCode[];

describe('a problem', () => {
  it('has the members of RFC 9457, the code and the advice, whatever failed', () => {
    for (const code of CODES) {
      const { status, headers, body } = toProblem(new Failure(code), CONTEXT);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(headers['Content-Type']).toBe('application/problem+json');
      expect(body).toEqual({
        type: expect.stringMatching(/^(urn:sluice:failure:|https:\/\/iana\.org\/)/),
        title: FAILURES[code].title,
        status,
        detail: FAILURES[code].title,
        instance: '/v2/models/m/infer',
        code,
        request_id: 'req_1',
        retryable: FAILURES[code].retryable,
        advice: FAILURES[code].advice,
      });
    }
  });

  it('carries its facts in snake_case', () => {
    const failure = new Failure('wrong-region', {
      homeUrl: 'https://eu.example',
      detail: 'lives in eu',
      nothing: undefined,
    });
    expect(toProblem(failure, CONTEXT).body).toMatchObject({ detail: 'lives in eu', home_url: 'https://eu.example' });
    expect(toProblem(failure, CONTEXT).body).not.toHaveProperty('nothing');
  });

  it('keeps its standard members whatever the facts are called', () => {
    const failure = new Failure('internal', { status: 200, code: 'fine', requestId: 'x', type: 'y', instance: 'z' });
    expect(toProblem(failure, CONTEXT).body).toMatchObject({
      status: 500,
      code: 'internal',
      request_id: 'req_1',
      type: 'urn:sluice:failure:internal',
      instance: '/v2/models/m/infer',
    });
  });

  it('always says when to retry on 429 and 503, in whole seconds and never too early', () => {
    for (const code of CODES.filter((candidate) => [429, 503].includes(STATUS[candidate]))) {
      expect(toProblem(new Failure(code), CONTEXT).headers['Retry-After']).toBe('1');
      for (const [retryAfterMs, seconds] of [
        [0, '1'],
        [1000, '1'],
        [1001, '2'],
        [59_000.5, '60'],
        [Number.POSITIVE_INFINITY, '1'],
      ] as const) {
        expect(toProblem(new Failure(code, { retryAfterMs }), CONTEXT).headers['Retry-After']).toBe(seconds);
      }
    }
  });

  it('says when to retry elsewhere only if it is known', () => {
    expect(toProblem(new Failure('idempotency-in-flight'), CONTEXT).headers).not.toHaveProperty('Retry-After');
    const known = new Failure('idempotency-in-flight', { retryAfterMs: 300 });
    expect(toProblem(known, CONTEXT).headers['Retry-After']).toBe('1');
  });

  it('has the registered types for quota and capacity', () => {
    const typeOf = (code: FailureCode) => toProblem(new Failure(code), CONTEXT).body.type;
    for (const code of ['quota-exceeded', 'in-flight-exceeded', 'compute-budget-exceeded'] as const) {
      expect(typeOf(code)).toBe('https://iana.org/assignments/http-problem-types#quota-exceeded');
      expect(STATUS[code]).toBe(429);
    }
    for (const code of ['overloaded', 'draining'] as const) {
      expect(typeOf(code)).toBe('https://iana.org/assignments/http-problem-types#temporary-reduced-capacity');
      expect(STATUS[code]).toBe(503);
    }
  });

  it('tells of the rate that was used up, with a t that Retry-After does not undercut', () => {
    const facts = { violatedPolicy: 'requests', limit: 10, windowS: 2, remaining: 0, retryAfterMs: 1200 };
    const { headers, body } = toProblem(new Failure('quota-exceeded', facts), CONTEXT);
    expect(headers).toMatchObject({
      RateLimit: '"requests";r=0;t=2',
      'RateLimit-Policy': '"requests";q=10;w=2',
      'Retry-After': '2',
    });
    expect(body).toMatchObject({ 'violated-policies': ['requests'], limit: 10, window_s: 2, retry_after_s: 2 });
  });

  it('names the methods on 405 and the scheme on 401', () => {
    const { headers } = toProblem(new Failure('method-unsupported', { allow: ['GET', 'POST'] }), CONTEXT);
    expect(headers.Allow).toBe('GET, POST');
    expect(toProblem(new Failure('credentials-missing'), CONTEXT).headers['WWW-Authenticate']).toBe('Bearer');
    expect(toProblem(new Failure('credentials-expired'), CONTEXT).headers['WWW-Authenticate']).toContain(
      'invalid_token',
    );
  });

  it('says nothing of what broke inside', () => {
    const failure = new Failure('internal', {}, { cause: new Error('secret-marker') });
    expect(JSON.stringify(toProblem(failure, CONTEXT))).not.toContain('secret-marker');
  });

  it('has the protocol’s error string on /v2', () => {
    const failure = new Failure('shape-mismatch', { field: 'inputs[0].shape', detail: 'dimension 1 must be 4' });
    const { body, status } = toV2Error(failure, CONTEXT);
    expect(body).toMatchObject({
      error: 'shape-mismatch: dimension 1 must be 4 (inputs[0].shape)',
      code: 'shape-mismatch',
    });
    expect(status).toBe(400);
  });

  it('blames the server only where the caller did nothing wrong', () => {
    const blamed = CODES.filter((code) => STATUS[code] >= 500 && !FAILURES[code].retryable);
    expect(blamed.sort()).toEqual([
      'artifact-damaged',
      'artifact-missing',
      'prediction-timeout',
      'record-damaged',
      'runner-crashed',
    ]);
  });
});
