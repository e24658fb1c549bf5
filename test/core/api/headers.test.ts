import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatRateLimit,
  formatRateLimitPolicy,
  parseIdempotencyKey,
  parsePrefer,
  parseTraceparent,
} from '../../../core/api/headers.ts';
import { Failure } from '../../../core/failure.ts';
import { expectFailure } from '../../support/failures.ts';

describe('Prefer', () => {
  it.each([
    [undefined, false, undefined],
    ['', false, undefined],
    ['respond-async', true, undefined],
    ['respond-async, wait=10', true, 10_000],
    ['wait=10,respond-async', true, 10_000],
    ['Respond-Async;x=1, WAIT = 5 ; y', true, 5_000],
    ['wait="7"', false, 7_000],
    ['wait=0', false, 0],
    ['wait=3, wait=9', false, 3_000],
    ['wait=9999999999', false, 86_400_000],
    ['return=minimal, handling=lenient, priority=5', false, undefined],
    ['note="a, respond-async, wait=1"', false, undefined],
    ['note="\\", wait=1", wait=2', false, 2_000],
  ])('%j asks for async %j and waits %j ms', (value, respondAsync, waitMs) => {
    expect(parsePrefer(value)).toEqual({ respondAsync, waitMs });
  });

  it.each(['wait', 'wait=', 'wait=-1', 'wait=1.5', 'wait=soon', 'wait=1e3', 'wait=99999999999', 'respond-async=1'])(
    'ignores %j, as RFC 7240 has it',
    (value) => {
      expect(parsePrefer(value)).toEqual({ respondAsync: false, waitMs: undefined });
    },
  );

  it('never throws', () => {
    const hostile = fc.string({ unit: fc.constantFrom(...'wait=respond-async,;"\\ 19') });
    fc.assert(
      fc.property(fc.oneof(fc.string(), hostile), (value) => {
        const { waitMs } = parsePrefer(value);
        expect(waitMs === undefined || (waitMs >= 0 && waitMs <= 86_400_000)).toBe(true);
      }),
    );
  });
});

describe('Idempotency-Key', () => {
  it('is one key with and without quotes', () => {
    expect(parseIdempotencyKey('"8e03978e-40d5"')).toBe('8e03978e-40d5');
    expect(parseIdempotencyKey(' 8e03978e-40d5 ')).toBe('8e03978e-40d5');
    expect(parseIdempotencyKey('"a\\"b\\\\c"')).toBe('a"b\\c');
    expect(parseIdempotencyKey('"x y"')).toBe('x y');
    expect(parseIdempotencyKey(undefined)).toBeUndefined();
    expect(parseIdempotencyKey(`"${'\\"'.repeat(255)}"`)).toBe('"'.repeat(255));
  });

  it.each(['', '   ', '""', '"', '"a', '"a"b', '"a\\n"', 'ü', '"ü"', 'a\tb', 'x'.repeat(256), `"${'x'.repeat(256)}"`])(
    'refuses %j',
    (value) => {
      expectFailure(() => parseIdempotencyKey(value), 'header-invalid', { field: 'Idempotency-Key' });
    },
  );

  it('is a short printable key or a failure for any value', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', '\\', 'a') })), (value) => {
        try {
          expect(parseIdempotencyKey(value)).toMatch(/^[ -~]{1,255}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});

describe('traceparent', () => {
  const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  it('is kept when it is valid', () => {
    expect(parseTraceparent(valid)).toBe(valid);
  });

  it.each([
    undefined,
    '',
    valid.toUpperCase(),
    `${valid}-x`,
    valid.slice(1),
    valid.replace('00-', 'ff-'),
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`,
  ])('%j is ignored', (value) => {
    expect(parseTraceparent(value)).toBeUndefined();
  });
});

describe('RateLimit', () => {
  it('says what is left and when more comes, rounded away from too early', () => {
    const quota = { policy: 'requests', limit: 100, windowS: 60, remaining: 50, resetS: 29.2 };
    expect(formatRateLimit(quota)).toBe('"requests";r=50;t=30');
    expect(formatRateLimitPolicy(quota)).toBe('"requests";q=100;w=60');
    expect(formatRateLimit({ ...quota, remaining: -1, resetS: -1 })).toBe('"requests";r=0;t=0');
  });
});
