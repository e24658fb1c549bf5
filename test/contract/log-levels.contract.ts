import { expect } from 'vitest';
import type { LogLevelChange, LogLevels } from '../../core/ports/log-levels.ts';
import { type Adapter, type Case, describeContract, type Subject } from './contract.ts';

const CHANGE: LogLevelChange = { level: 'debug', untilMs: 1_790_000_000_000, by: 'key:1' };

export const logLevelsCases: readonly Case<Subject<LogLevels>>[] = [
  {
    name: 'knows of no change before there is one',
    async run({ port }) {
      expect(await port.read()).toBeUndefined();
    },
  },
  {
    name: 'keeps the latest change, after a crash too',
    async run(subject) {
      await subject.port.put(CHANGE);
      const last = { ...CHANGE, level: 'error', by: 'key:2' } as const;
      await subject.port.put(last);
      expect(await subject.port.read()).toEqual(last);
      await subject.crash();
      expect(await subject.port.read()).toEqual(last);
    },
  },
];

export function describeLogLevelsContract(name: string, adapter: Adapter<LogLevels>): void {
  describeContract(`log levels: ${name}`, logLevelsCases, adapter);
}
