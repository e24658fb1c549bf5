import { expect } from 'vitest';
import type { Feedbacks, GivenFeedback, TallySpan } from '../../core/ports/feedbacks.ts';
import { MOST_KEPT_ROWS, TOLD_LATE_MS } from '../../core/quality/feedback/limits.ts';
import { DAY_MS } from '../../core/units.ts';
import { aKeptPrediction } from '../support/kept-predictions.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';

type FeedbacksCase = Case<Subject<Feedbacks>>;

const EVER = { fromMs: 0, untilMs: 1e15 };
const OF_M: TallySpan = { model: 'm', version: '1', ...EVER };

function given(atMs: number, ...labels: string[]): GivenFeedback {
  return { labels: labels.length === 0 ? ['good'] : labels, knownAtMs: undefined, atMs };
}

/** Rows and right ones by day, counted from the first. */
async function daysOf(port: Feedbacks, tenant: string, span: TallySpan = OF_M): Promise<unknown[]> {
  const tallies = await port.tallies(tenant, span);
  const firstMs = tallies[0]?.dayMs ?? 0;
  return tallies.map(({ dayMs, tally }) => [(dayMs - firstMs) / DAY_MS, tally.count, tally.correct]);
}

export const feedbacksCases: readonly FeedbacksCase[] = [
  {
    name: 'gives back what was kept and what was given, every bit of it, after a crash too',
    async run(subject) {
      const nowMs = subject.nowMs();
      const lot = { release: 'release_1', cohort: 17, unit: 4_000_000_000 };
      const rows = [
        { label: 'ünïcödé 🎉', confidence: 0.12345 },
        { label: '-7', confidence: undefined },
        { label: 'ünïcödé 🎉', confidence: 1 },
      ];
      const whole = aKeptPrediction(nowMs, { rows, lot, principal: 'user:ann' });
      const plain = aKeptPrediction(nowMs);
      const longest = aKeptPrediction(nowMs, {
        rows: Array.from({ length: MOST_KEPT_ROWS }, (_, n) => ({ label: `${n}`.padEnd(64, '語'), confidence: 0.5 })),
      });
      const truth = { labels: ['-7', '-7', 'ünïcödé 🎉'], knownAtMs: nowMs - 5, atMs: nowMs };
      await subject.port.keep([whole, plain, longest]);
      const labels = longest.rows.map(({ label }) => label);
      expect(await subject.port.give(whole, truth)).toBe(true);
      expect(await subject.port.give(longest, given(nowMs, ...labels))).toBe(true);
      const check = async () => {
        const read = (id: string) => subject.port.read('acme', id, nowMs);
        expect(await read(whole.id)).toEqual({ prediction: whole, given: truth });
        expect(await read(plain.id)).toEqual({ prediction: plain, given: undefined });
        expect(await read(longest.id)).toEqual({ prediction: longest, given: given(nowMs, ...labels) });
        expect(await daysOf(subject.port, 'acme')).toEqual([[0, 3 + MOST_KEPT_ROWS, 2 + MOST_KEPT_ROWS]]);
      };
      await check();
      await subject.crash();
      await check();
    },
  },
  {
    name: "is asked by tenant: another one's prediction is none, and what it gave is counted for itself",
    async run({ port, nowMs }) {
      const now = nowMs();
      const [ours, theirs] = [aKeptPrediction(now, { id: 'a' }), aKeptPrediction(now, { id: 'a', tenant: 'globex' })];
      await port.keep([ours, theirs]);
      expect(await port.read('initech', 'a', now)).toBeUndefined();
      expect(await port.read('acme', 'b', now)).toBeUndefined();
      expect(await port.give(theirs, given(now, 'bad'))).toBe(true);
      expect(await port.read('acme', 'a', now)).toEqual({ prediction: ours, given: undefined });
      expect(await daysOf(port, 'acme')).toEqual([]);
      expect(await daysOf(port, 'globex')).toEqual([[0, 1, 0]]);
    },
  },
  {
    name: 'takes feedback once, however many give it at once, and counts it once',
    async run({ port, nowMs }) {
      const now = nowMs();
      const prediction = aKeptPrediction(now);
      await port.keep([prediction]);
      const first = await atOnce(12, (at) => port.give(prediction, given(now, at % 2 === 0 ? 'good' : 'bad')));
      expect(first.filter((isFirst) => isFirst)).toHaveLength(1);
      expect(await port.give(prediction, given(now, 'other'))).toBe(false);
      const found = await port.read('acme', prediction.id, now);
      const winner = first.indexOf(true) % 2 === 0 ? 'good' : 'bad';
      expect(found).toEqual({ prediction, given: given(now, winner) });
      expect(await daysOf(port, 'acme')).toEqual([[0, 1, winner === 'good' ? 1 : 0]]);
    },
  },
  {
    name: 'counts all of many predictions whose truth is told at once',
    async run({ port, nowMs }) {
      const now = nowMs();
      const predictions = Array.from({ length: 24 }, () => aKeptPrediction(now));
      await port.keep(predictions);
      const taken = await Promise.all(
        predictions.map((prediction, at) => port.give(prediction, given(now, at < 6 ? 'bad' : 'good'))),
      );
      expect(taken).toEqual(predictions.map(() => true));
      expect(await daysOf(port, 'acme')).toEqual([[0, 24, 18]]);
    },
  },
  {
    name: 'tallies by model, version and the UTC day on which feedback came, within the span that is asked for',
    async run({ port, nowMs }) {
      const now = nowMs();
      const today = Math.floor(now / DAY_MS) * DAY_MS;
      const give = async (atMs: number, changes: Partial<Parameters<typeof aKeptPrediction>[1]> = {}) => {
        const prediction = aKeptPrediction(now, { ...changes, expiresAtMs: now + 10 * DAY_MS });
        await port.keep([prediction]);
        expect(await port.give(prediction, given(atMs))).toBe(true);
      };
      await give(today);
      await give(today + DAY_MS - 1);
      await give(today + DAY_MS);
      await give(today + 3 * DAY_MS);
      await give(today, { version: '10' });
      await give(today, { model: 'n' });
      await give(today, { model: 'm-2' });
      expect(await daysOf(port, 'acme')).toEqual([
        [0, 2, 2],
        [1, 1, 1],
        [3, 1, 1],
      ]);
      const within = { ...OF_M, fromMs: today + DAY_MS, untilMs: today + 3 * DAY_MS };
      expect(await daysOf(port, 'acme', within)).toEqual([[0, 1, 1]]);
      expect(await daysOf(port, 'acme', { ...within, untilMs: within.fromMs })).toEqual([]);
      expect(await daysOf(port, 'acme', { ...OF_M, version: '10' })).toEqual([[0, 1, 1]]);
      expect(await daysOf(port, 'acme', { ...OF_M, model: 'n' })).toEqual([[0, 1, 1]]);
      expect(await daysOf(port, 'acme', { ...OF_M, version: '2' })).toEqual([]);
    },
  },
  {
    name: 'to keep a prediction again changes nothing: feedback that was given stays',
    async run({ port, nowMs }) {
      const now = nowMs();
      const prediction = aKeptPrediction(now);
      await port.keep([prediction]);
      await port.give(prediction, given(now));
      await port.keep([prediction]);
      expect(await port.read('acme', prediction.id, now)).toEqual({ prediction, given: given(now) });
      expect(await port.give(prediction, given(now, 'bad'))).toBe(false);
    },
  },
  {
    name: 'takes nothing from the expiry on, tells for a week that it is too late, and purges then',
    async run({ port, nowMs }) {
      const now = nowMs();
      const prediction = aKeptPrediction(now, { expiresAtMs: now + DAY_MS });
      const later = aKeptPrediction(now, { expiresAtMs: now + 2 * DAY_MS });
      await port.keep([prediction, later]);
      const read = (atMs: number) => port.read('acme', prediction.id, atMs);
      expect(await read(now + DAY_MS - 1)).toEqual({ prediction, given: undefined });
      expect(await read(now + DAY_MS)).toBe('too-late');
      expect(await port.give(prediction, given(now + DAY_MS))).toBe(false);
      expect(await read(now + DAY_MS + TOLD_LATE_MS - 1)).toBe('too-late');
      expect(await read(now + DAY_MS + TOLD_LATE_MS)).toBeUndefined();
      expect(await port.purge(now + DAY_MS + TOLD_LATE_MS - 1000)).toBe(0);
      expect(await port.purge(now + DAY_MS + TOLD_LATE_MS + 1000)).toBe(1);
      expect(await read(now)).toBeUndefined();
      expect(await port.give(prediction, given(now))).toBe(false);
      expect(await port.read('acme', later.id, now)).toEqual({ prediction: later, given: undefined });
    },
  },
  {
    name: "erases a tenant's predictions, truths and tallies and no other's, and what is kept later of answers given before",
    async run(subject) {
      const { port } = subject;
      const madeMs = subject.nowMs();
      const ours = aKeptPrediction(madeMs);
      const theirs = aKeptPrediction(madeMs, { tenant: 'globex' });
      const late = aKeptPrediction(madeMs);
      await port.keep([ours, theirs]);
      for (const prediction of [ours, theirs]) await port.give(prediction, given(madeMs));
      await subject.advance(1);
      await port.erase('acme');
      await port.keep([late, aKeptPrediction(madeMs, { tenant: 'globex', id: 'late' })]);
      await subject.advance(1);
      const nowMs = subject.nowMs();
      const anew = aKeptPrediction(nowMs);
      await port.keep([anew]);
      expect(await port.read('acme', ours.id, nowMs)).toBeUndefined();
      expect(await port.read('acme', late.id, nowMs)).toBeUndefined();
      expect(await port.give(ours, given(nowMs))).toBe(false);
      expect(await daysOf(port, 'acme')).toEqual([]);
      expect(await port.read('acme', anew.id, nowMs)).toEqual({ prediction: anew, given: undefined });
      expect(await port.read('globex', 'late', nowMs)).toBeDefined();
      expect(await port.read('globex', theirs.id, nowMs)).toEqual({ prediction: theirs, given: given(madeMs) });
      expect(await daysOf(port, 'globex')).toEqual([[0, 1, 1]]);
    },
  },
];

export function describeFeedbacksContract(name: string, adapter: Adapter<Feedbacks>): void {
  describeContract(`feedbacks: ${name}`, feedbacksCases, adapter);
}
