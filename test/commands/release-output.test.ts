import { describe, expect, test } from 'vitest';
import { NoAnswer, RequestRefused } from '../../bin/client.ts';
import { openScreen, watchRelease } from '../../bin/commands/release-watch.ts';
import { describeStep, nowLine, renderRelease, span } from '../../bin/release-report.ts';
import { type ReleaseDetailJson, releaseDetailToJson } from '../../core/api/release-json.ts';
import { releaseDetailJson } from '../../core/api/release-schemas.ts';
import { advance, type ReleaseEvent } from '../../core/release/advance.ts';
import { releasePlanSchema } from '../../core/release/plan.ts';
import type { ReleaseNumbers, VersionNumbers } from '../../core/release/read-numbers.ts';
import { isActive, type Release } from '../../core/release/release.ts';
import { startRelease } from '../../core/release/start.ts';

const BASE_MS = Date.UTC(2026, 0, 1);
const ID = `rel_${'0af1'.repeat(8)}`;
const SAID = { kind: 'verb', by: 'key:1', why: 'because' } as const;

/** A release of two steps, after some events, one a second. */
function aRelease(
  events: readonly ReleaseEvent[] = [],
  steps: unknown = [{ setWeight: 5 }, { setWeight: 100 }],
): Release {
  const plan = releasePlanSchema.parse({ steps });
  const spec = { id: ID, model: 'm', stable: '1', candidate: '2', plan, by: 'key:1', why: 'better' };
  return events.reduce((release, event, at) => {
    const next = advance(release, event, BASE_MS + (at + 1) * 1000);
    if (next.kind === 'unchanged') throw new Error(next.why);
    return next.release;
  }, startRelease(spec, BASE_MS).release);
}

const WARM = { kind: 'capacity', version: '2', warm: 10_000 } as const;
const ABORT = { ...SAID, id: 'a', verb: 'abort' } as const;
const side: VersionNumbers = {
  requests: 1200,
  errors: 12,
  errorsByCode: new Map([['prediction-failed', 12]]),
  errorRate: 0.01,
  p50Ms: 1.5,
  p95Ms: 3,
  p99Ms: 12,
  computeMs: 0.4,
  crashes: 0,
  cacheHits: 0,
  fallbacks: 0,
  accuracy: undefined,
  feedback: 0,
};

function shown(release: Release, afterMs = 0, numbers?: ReleaseNumbers): ReleaseDetailJson {
  return releaseDetailJson.parse(
    releaseDetailToJson(release, numbers, { by: 'key:1', nowMs: BASE_MS + afterMs, usdPerComputeHour: 1 }),
  );
}

describe('a release in a terminal', () => {
  test('shows its steps, both versions\u2019 numbers and the time that is left', () => {
    const numbers = {
      fromMs: BASE_MS,
      untilMs: BASE_MS,
      stable: side,
      candidate: { ...side, p99Ms: 99 },
      agreement: 0.98,
      shadow: { compared: 100, agreed: 98, candidateFailed: 0 },
      latency: [],
      labels: [],
      confidence: [],
    };
    const text = renderRelease(shown(aRelease([WARM]), 61_000, numbers));
    expect(text).toContain('m: version 2 over 1');
    expect(text).toContain('▸ 5 %, at least 10 min 0 s');
    expect(text).toContain('· 100 %, watched for 1 h 0 min');
    expect(text).toContain('step 1 of 2, 5 % on the candidate, 9 min 0 s left');
    expect(text).toMatch(/version 2 .* 1200 .* 1 % .* 99 ms .* 98 %/);
  });

  test('says in one line what it waits for, in every state', () => {
    const gate = [{ gate: { people: 2 } }, { setWeight: 100 }];
    const lines = [
      aRelease(),
      aRelease([WARM]),
      aRelease([], gate),
      aRelease([WARM, { ...SAID, id: 'p', verb: 'promote' }]),
      aRelease([WARM, { ...SAID, id: 'p', verb: 'pause' }]),
      aRelease([WARM, { ...SAID, id: 'p', verb: 'promote' }, { ...SAID, id: 'q', verb: 'promote' }]),
      aRelease([ABORT]),
      aRelease([ABORT, { ...SAID, id: 'u', verb: 'undo', to: '3' }]),
    ].map((release) => nowLine(shown(release)));
    expect(lines).toEqual([
      'step 1 of 2 waits for warm workers (0 % of all traffic so far), 15 min 0 s left',
      expect.stringMatching(/^step 1 of 2, 5 % on the candidate, 10 min \d s left$/),
      'step 1 of 2 waits for people: 0 of 2 have approved, 7 days left',
      expect.stringMatching(/^everybody is on version 2, which is watched, 1 h 0 min left$/),
      expect.stringMatching(/^paused at step 1 of 2, 5 % on the candidate, 9 min \d+ s left$/),
      'promoted: version 2 answers',
      'rolled back to version 1: because',
      expect.stringMatching(/^on its way back, .* left: because$/),
    ]);
  });

  test('names steps as the plan has them', () => {
    const { steps } = releasePlanSchema.parse({
      steps: [
        { shadow: 10, hold: { seconds: 30 } },
        { setWeight: { tenants: ['acme', 'globex'] }, analysis: false },
        { gate: {} },
        { setWeight: 100 },
      ],
    });
    expect(steps.map(describeStep)).toEqual([
      '10 % shadowed, at least 30 s',
      'tenants acme, globex, at least 10 min 0 s, nothing compared',
      'a person approves',
      '100 %, at least 10 min 0 s',
    ]);
  });

  test.each([
    [400, '1 s'],
    [59_000, '59 s'],
    [200_000, '3 min 20 s'],
    [3 * 3_600_000 + 5 * 60_000, '3 h 5 min'],
    [7 * 86_400_000, '7 days'],
  ])('says %i ms as %s', (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  test('is drawn over what was there, cut to the terminal\u2019s width', () => {
    let written = '';
    const write = (text: string) => {
      written += text;
      return true;
    };
    const screen = openScreen({ isTTY: true, columns: 4, write } as unknown as NodeJS.WriteStream);
    screen.show('\u001b[31mabcdef\u001b[0m\nxy');
    screen.show('z');
    screen.line('end');
    expect(written).toBe('\u001b[31mabcd\u001b[0m\nxy\n\u001b[2A\u001b[Jz\n\u001b[1A\u001b[Jend\n');
  });
});

describe('watching a release', () => {
  /** What is read each second; a function is called. */
  function watchingOf(reads: readonly (Release | (() => never))[]) {
    const lines: string[] = [];
    let now = BASE_MS;
    const rest = [...reads];
    const watching = {
      read: async () => {
        const next = rest.length > 1 ? rest.shift()! : rest[0]!;
        return typeof next === 'function' ? next() : shown(next, now - BASE_MS);
      },
      sleep: async (ms: number) => {
        now += ms;
      },
      nowMs: () => now,
      screen: { isTerminal: false, show: () => {}, line: (text: string) => lines.push(text) },
    };
    return { watching, lines, now: () => now };
  }

  test('ends with the release, and where nothing can be drawn tells every change once', async () => {
    const begun = aRelease([WARM]);
    const { watching, lines } = watchingOf([aRelease(), aRelease(), begun, begun, begun, aRelease([WARM, ABORT])]);
    expect((await watchRelease(watching)).state).toBe('rolled-back');
    expect(lines).toEqual([
      `m: version 2 over 1 (${ID})`,
      expect.stringMatching(/^2\S+Z step 1 of 2 waits for warm workers/),
      expect.stringMatching(/^2\S+Z step 1 of 2, 5 % on the candidate/),
      expect.stringMatching(/^2\S+Z rolled back to version 1: because$/),
    ]);
    expect(isActive(begun)).toBe(true);
  });

  test('outlasts a region that restarts, but not one that stays away or says no', async () => {
    const away = () => {
      throw new NoAnswer('No answer from there');
    };
    const back = watchingOf([away, away, aRelease([ABORT])]);
    expect((await watchRelease(back.watching)).state).toBe('rolled-back');
    expect(back.lines.filter((line) => line.includes('No answer from there'))).toHaveLength(2);
    const gone = watchingOf([away]);
    await expect(watchRelease(gone.watching)).rejects.toThrow(NoAnswer);
    expect(gone.now() - BASE_MS).toBeGreaterThanOrEqual(120_000);
    const refused = watchingOf([
      () => {
        throw new RequestRefused(404, { code: 'release-unknown' });
      },
    ]);
    await expect(watchRelease(refused.watching)).rejects.toThrow('release-unknown');
    expect(refused.now()).toBe(BASE_MS);
  });
});
