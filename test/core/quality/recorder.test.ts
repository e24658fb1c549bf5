import { describe, expect, test } from 'vitest';
import type { Job, Outcome } from '../../../core/inference/job.ts';
import type { TelemetryItem } from '../../../core/ports/telemetry.ts';
import type { InputProfiler } from '../../../core/quality/profile-inputs.ts';
import { Recorder, type RecorderOptions, WINDOW_MS } from '../../../core/quality/recorder.ts';
import { aJob } from '../../support/jobs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { KeptTelemetry } from '../../support/recorder.ts';

function open(options?: RecorderOptions) {
  const clock = new ManualClock();
  const kept = new KeptTelemetry();
  const logged: string[] = [];
  const write = (message: string, fields: unknown) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log = {
    debug: write,
    info: write,
    warn: write,
    error: (message: string, _: unknown, fields: unknown) => write(message, fields),
  };
  let fails = false;
  const appended: (readonly TelemetryItem[])[] = [];
  const telemetry = Object.assign(Object.create(kept) as KeptTelemetry, {
    async append(items: readonly TelemetryItem[]) {
      appended.push(items);
      if (fails) throw new Error('the store is away');
      await kept.append(items);
    },
  });
  const create = () => new Recorder({ telemetry, clock, log }, options);
  return {
    clock,
    kept,
    logged,
    appended,
    create,
    recorder: create(),
    fail(isAway: boolean) {
      fails = isAway;
    },
    requests: () => kept.items.reduce((sum, item) => sum + item.telemetry.requests, 0),
  };
}

const job = (changes: Partial<Job> = {}) => aJob({ acceptedAtMs: 1000, ...changes });
const done = (changes: object = {}): Outcome => ({
  kind: 'succeeded',
  version: '1',
  outputs: [],
  computeMs: 3,
  queueMs: 5,
  batchRows: 1,
  endedAtMs: 1010,
  ...changes,
});

describe('a report', () => {
  test('tells of one window of one version, and no two have one name', async () => {
    const { clock, kept, recorder, create } = open();
    const other = create();
    for (const each of [recorder, other]) {
      for (const version of ['1', '2', '1']) each.cacheHit({ model: 'm', version }, 'acme');
      await each.flush();
      each.cacheHit({ model: 'm', version: '1' }, 'acme');
    }
    await clock.advance(WINDOW_MS);
    for (const each of [recorder, other]) each.cacheHit({ model: 'm', version: '1' }, 'acme');
    for (const each of [recorder, other]) await each.flush();
    const names = kept.items.map(({ telemetry: _, ...name }) => JSON.stringify(name));
    expect(new Set(names).size).toBe(8);
    expect(kept.items).toHaveLength(8);
    expect(new Set(kept.items.map(({ writer }) => writer)).size).toBe(2);
    for (const { windowStartMs, shard } of kept.items) {
      expect([windowStartMs % WINDOW_MS, shard >= 0 && shard < 16]).toEqual([0, true]);
    }
    const nowMs = clock.nowMs();
    expect((await kept.read('m', '1', nowMs, nowMs + 1)).requests).toBe(2);
    expect((await kept.read('m', '1', nowMs - WINDOW_MS, nowMs)).requests).toBe(6);
  });

  test('is written at the end of each window as long as it runs, the last one when that ends, and none of nothing', async () => {
    const { clock, appended, recorder, requests } = open();
    const ended = new AbortController();
    const running = recorder.run(ended.signal);
    recorder.cacheHit(job(), 'acme');
    await clock.advance(WINDOW_MS + 1);
    expect([requests(), appended.length]).toEqual([1, 1]);
    await clock.advance(WINDOW_MS);
    expect(appended).toHaveLength(1);
    recorder.cacheHit(job(), 'acme');
    ended.abort();
    await running;
    expect(requests()).toBe(2);
  });

  test('of a process that may be frozen is written at once where it is seldom called, else once a second', async () => {
    const { clock, recorder, requests } = open();
    const ask = async () => {
      recorder.cacheHit(job(), 'acme');
      await recorder.flushIfDue();
      return requests();
    };
    expect([await ask(), await ask(), await ask()]).toEqual([1, 1, 1]);
    await clock.advance(1000);
    expect([await ask(), await ask()]).toEqual([4, 4]);
    await clock.advance(60_000);
    expect(await ask()).toBe(6);
  });
});

describe('a store that is away', () => {
  test('gets every report later, the same again, and nobody who counts hears of it', async () => {
    const { recorder, fail, appended, requests, logged } = open();
    fail(true);
    recorder.cacheHit(job(), 'acme');
    await recorder.flush();
    recorder.cacheHit(job(), 'acme');
    await recorder.flush();
    fail(false);
    await recorder.flush();
    expect(requests()).toBe(2);
    const [first] = appended[0]!;
    expect(appended.at(-1)).toContainEqual(first);
    expect(logged.filter((line) => line.startsWith('telemetry not written'))).toHaveLength(1);
  });

  test('for long loses the oldest, and how much that was is told', async () => {
    const { recorder, clock, fail, requests, logged } = open({ versions: 2, waiting: 3 });
    fail(true);
    for (let window = 0; window < 5; window += 1) {
      recorder.cacheHit(job(), 'acme');
      await clock.advance(WINDOW_MS);
      await recorder.flush();
    }
    fail(false);
    await recorder.flush();
    expect(requests()).toBe(3);
    const lost = logged.flatMap((line) => /^telemetry dropped {"requests":(\d+)}/.exec(line)?.[1] ?? []);
    expect(lost.map(Number).reduce((sum, each) => sum + each, 0)).toBe(2);
  });

  test('never holds more than a hundred reports of one append', async () => {
    const { recorder, appended, requests } = open();
    for (let version = 0; version < 256; version += 1)
      recorder.cacheHit({ model: 'm', version: String(version) }, 'acme');
    await recorder.flush();
    expect(appended.map((items) => items.length)).toEqual([100, 100, 56]);
    expect(requests()).toBe(256);
  });

  test('keeps two who flush from appending one report twice', async () => {
    const { recorder, appended, requests } = open();
    recorder.cacheHit(job(), 'acme');
    const first = recorder.flush();
    recorder.cacheHit(job(), 'acme');
    await Promise.all([first, recorder.flush(), recorder.flush()]);
    expect(requests()).toBe(2);
    expect(appended.flat()).toHaveLength(2);
  });
});

test('of more versions than are held the rest is dropped, with a number, until the next window', async () => {
  const { recorder, clock, logged, kept } = open({ versions: 2, waiting: 100 });
  const hit = (version: string) => recorder.cacheHit({ model: 'm', version }, 'acme');
  for (const version of ['1', '2', '3', '4', '1']) hit(version);
  await recorder.flush();
  expect(logged).toContain('telemetry dropped {"requests":2}');
  await clock.advance(WINDOW_MS);
  hit('3');
  await recorder.flush();
  expect(kept.items.map(({ version }) => version)).toEqual(['1', '2', '3']);
});

describe('a job', () => {
  const LABELS = { labelAt: (row: number) => `l${row}`, confidenceAt: () => 0.5 };
  const only = async (recorder: Recorder, kept: KeptTelemetry, version = '1') => {
    await recorder.flush();
    return kept.read('m', version, 0, Number.MAX_SAFE_INTEGER);
  };

  test('is counted with all of its rows', async () => {
    const { recorder, kept } = open();
    recorder.jobEnded(job({ rows: 3 }), { outcome: done(), labels: { run: LABELS, firstRow: 4 } });
    const { requests, rows, computeMs, labels, confidence, latencyMs, queueMs } = await only(recorder, kept);
    expect([requests, rows, computeMs, latencyMs.sum, queueMs.sum]).toEqual([1, 3, 3, 10, 5]);
    expect(labels.contents().counts).toEqual([
      ['l4', 1],
      ['l5', 1],
      ['l6', 1],
    ]);
    expect(confidence.count).toBe(3);
  });

  test('that its version crashed on and another answered is an error of its version; compute and rows are the other one’s', async () => {
    const { recorder, kept } = open();
    recorder.jobEnded(job({ version: '2' }), { outcome: done(), labels: { run: LABELS, firstRow: 0 } });
    const [assigned, other] = [await only(recorder, kept, '2'), await only(recorder, kept)];
    expect([assigned.requests, [...assigned.errors], assigned.rows, assigned.computeMs]).toEqual([
      1,
      [['runner-crashed', 1]],
      0,
      0,
    ]);
    expect([other.requests, other.rows, other.computeMs, other.errors.size]).toEqual([0, 1, 3, 0]);
    expect(assigned.labels.total + other.labels.total).toBe(0);
  });

  test('that waited until it expired has waited all the time; one from a clock ahead takes none', async () => {
    const { recorder, kept } = open();
    const failed = { kind: 'failed', code: 'prediction-expired', facts: {}, computeMs: 0 } as const;
    recorder.jobEnded(job(), { outcome: { ...failed, endedAtMs: 1500 } });
    recorder.jobEnded(job(), { outcome: { ...failed, endedAtMs: 900 } });
    const { errors, latencyMs, queueMs, rows } = await only(recorder, kept);
    expect([[...errors], latencyMs.sum, queueMs.sum, rows]).toEqual([[['prediction-expired', 2]], 500, 500, 0]);
  });

  test('with numbers that are none is told in the log, and nothing is thrown', () => {
    const { recorder, logged } = open();
    recorder.jobEnded(job(), { outcome: done({ queueMs: Number.NaN }) });
    expect(logged).toHaveLength(1);
  });

  test('drawn by a release is in its cohort; what was seen of another release is in a report of its own', async () => {
    const { recorder, kept } = open();
    for (const release of ['r1', 'r1', 'r2'])
      recorder.jobEnded({ ...job(), lot: { release, cohort: 7, unit: 1 } }, { outcome: done() });
    recorder.jobEnded(job(), { outcome: done() });
    await recorder.flush();
    const cohorts = await Promise.all(
      ['r1', 'r2'].map(async (release) => {
        const { requests, release: seen } = await kept.read('m', '1', 0, Number.MAX_SAFE_INTEGER, release);
        return [requests, seen?.cohorts.get(7)?.requests];
      }),
    );
    expect(cohorts).toEqual([
      [4, 2],
      [4, 1],
    ]);
  });
});

describe('the inputs of jobs', () => {
  test('are profiled for 64 rows of a version in a window, 16 of one request at the most, and not where another version answered', async () => {
    const { recorder, clock } = open();
    const asked: number[] = [];
    const profileInputs: InputProfiler = (_, rows, most) => {
      expect(most).toBeLessThanOrEqual(rows);
      asked.push(most);
    };
    const end = (rows: number, changes: Partial<Job> = {}) =>
      recorder.jobEnded(job({ rows, ...changes }), { outcome: done(), profileInputs });
    for (const rows of [1, 40, 16, 2, 16, 16, 16]) end(rows);
    expect(asked.splice(0)).toEqual([1, 16, 16, 2, 16, 13]);
    end(3, { version: '2' });
    recorder.jobEnded(job({ model: 'm2' }), { outcome: done() });
    end(3, { model: 'm2' });
    expect(asked.splice(0)).toEqual([3]);
    await clock.advance(WINDOW_MS);
    end(5);
    expect(asked).toEqual([5]);
  });
});

describe('feedback', () => {
  const row = { tenant: 'acme', actual: 'yes', predicted: 'no', correct: false, confidence: 0.9, lot: undefined };
  const version = { model: 'm', version: '1' };
  const inAll = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };

  test('is counted in the window in which it comes', async () => {
    const { recorder, clock, kept } = open();
    recorder.feedback(version, row);
    await clock.advance(WINDOW_MS);
    recorder.feedback(version, { ...row, predicted: 'yes', correct: true });
    await recorder.flush();
    const nowMs = clock.nowMs();
    const [before, after] = [
      await kept.read('m', '1', nowMs - WINDOW_MS, nowMs),
      await kept.read('m', '1', nowMs, nowMs + 1),
    ];
    expect([before.feedback, before.feedbackCorrect, after.feedback, after.feedbackCorrect]).toEqual([1, 0, 1, 1]);
    expect([before.requests, before.confusion.of('yes')!.get('no')]).toEqual([0, 1]);
  });

  test('of a release that is over makes no report of its own, however it comes in turn with another', async () => {
    const { recorder, kept } = open();
    recorder.jobEnded({ ...job(), lot: { release: 'r2', cohort: 7, unit: 1 } }, { outcome: done() });
    for (let at = 0; at < 10; at += 1)
      recorder.feedback(version, { ...row, lot: { release: at % 2 === 0 ? 'r1' : 'r2', cohort: 3 } });
    await recorder.flush();
    expect(kept.items).toHaveLength(1);
    const { feedback, release } = await kept.read('m', '1', inAll.fromMs, inAll.untilMs, 'r2');
    expect([feedback, release!.cohorts.get(3)!.feedback]).toEqual([10, 5]);
  });

  test('with a confidence that is none is told in the log, and nothing is thrown', () => {
    const { recorder, logged } = open();
    recorder.feedback(version, { ...row, confidence: 2 });
    expect(logged).toHaveLength(1);
  });
});

test('who adds up in memory is told of every report once, before it is written and whether or not it can be', async () => {
  const told: TelemetryItem[] = [];
  const { recorder, clock, kept, fail } = open({ onSealed: (items) => told.push(...items) });
  recorder.cacheHit(job(), 'acme');
  expect(told).toEqual([]);
  fail(true);
  await recorder.flush();
  await clock.advance(WINDOW_MS);
  recorder.cacheHit(job(), 'acme');
  fail(false);
  await recorder.flush();
  await recorder.flush();
  expect(told.map(({ sequence }) => sequence)).toEqual([0, 1]);
  expect(told).toEqual(expect.arrayContaining(kept.items));
});
