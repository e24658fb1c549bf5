import { expect } from 'vitest';
import { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import { type Adapter, type Case, describeContract, type Subject } from './contract.ts';

/** `written` is what has come out so far; with `breakSink`, nothing can any more. */
export type LogSubject = Subject<Log> & { written(): string; breakSink(): void };

type LogCase = Case<LogSubject>;

export const logCases: readonly LogCase[] = [
  {
    name: 'writes one JSON object a line with the message and its fields',
    async run({ port, written }) {
      port.info('request answered', { tenant: 'acme', ms: 1.5, cached: false, model: undefined });
      port.warn('two\nlines', { tenant: 'acme' });
      const lines = written()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines).toHaveLength(2);
      expect(lines[0]).toMatchObject({
        level: 'info',
        message: 'request answered',
        tenant: 'acme',
        ms: 1.5,
        cached: false,
      });
      expect(lines[0]).not.toHaveProperty('model');
      expect(Number.isNaN(Date.parse(lines[0].time))).toBe(false);
      expect(lines[1]).toMatchObject({ level: 'warn', message: 'two\nlines' });
    },
  },
  {
    name: 'names every cause with its code and stack, and quotes the message of a Failure alone',
    async run({ port, written }) {
      const foreign = Object.assign(new TypeError('got "the patient reports"'), { code: 'ERR_FOREIGN' });
      port.error('broke', new Failure('internal', { detail: 'what we say' }, { cause: foreign }));
      port.error('broke', foreign);
      port.error('broke', 'the patient reports');
      expect(written()).not.toContain('patient');
      const [wrapped] = written()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(wrapped.cause).toMatchObject([
        { name: 'Failure', code: 'internal', message: 'what we say' },
        { name: 'TypeError', code: 'ERR_FOREIGN' },
      ]);
      expect(wrapped.cause[1].stack[0]).toMatch(/^at /);
    },
  },
  {
    name: 'lets no object through as a field',
    async run({ port, written }) {
      port.info('request', { body: { text: 'the patient reports' } as unknown as string, tenant: 'acme' });
      expect(written()).not.toContain('patient');
      expect(written()).toContain('acme');
    },
  },
  {
    name: 'never throws, whatever it is given and whatever becomes of its sink',
    async run({ port, breakSink }) {
      const circular = new Error('loop');
      circular.cause = circular;
      port.error('odd', circular, { number: Number.NaN });
      port.error('odd', undefined);
      breakSink();
      port.error('odd', null);
      port.info('after');
    },
  },
];

export function describeLogContract(name: string, adapter: Adapter<Log, LogSubject>): void {
  describeContract(`log: ${name}`, logCases, adapter);
}
