import type { ValidationRecord } from '../../core/models/validation-record.ts';
import type { Validations } from '../../core/ports/validations.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_VALIDATIONS: readonly Fault<Validations>[] = [
  {
    fault: 'says that a record is there before it is on the disk',
    caughtBy: 'keeps a record whole, after a crash too',
    breaks(validations) {
      const early = new Map<string, ValidationRecord>();
      return override(validations, {
        async add(record) {
          early.set(record.id, record);
          return record;
        },
        read: async (id) => early.get(id) ?? validations.read(id),
      });
    },
  },
  {
    fault: 'looks for the same push and then adds, in two steps',
    caughtBy: 'adds one of several at once that have one digest, and gives it to all of them',
    breaks: (validations) =>
      override(validations, {
        async add(record) {
          const open = (await validations.list(record.model, 100)).find(
            ({ digest, state }) => digest === record.digest && (state.kind === 'queued' || state.kind === 'running'),
          );
          // Under a digest of its own, for the working adapter would not take it.
          return open ?? validations.add({ ...record, digest: record.id.slice(4).padStart(64, 'f') });
        },
      }),
  },
  {
    fault: 'takes a push for one that has ended',
    caughtBy: 'adds the same again once the other has ended, and beside another model or digest',
    breaks: (validations) =>
      override(validations, {
        async add(record) {
          const known = (await validations.list(record.model, 100)).find(({ digest }) => digest === record.digest);
          return known ?? validations.add(record);
        },
      }),
  },
  {
    fault: 'gives the newest first',
    caughtBy: 'gives the oldest that nobody works on, each to one of several at once',
    breaks: (validations) =>
      override(validations, {
        async take(nowMs, leaseUntilMs) {
          const [newest] = await validations.list('m', 1);
          const taken: ValidationRecord[] = [];
          for (;;) {
            const record = await validations.take(nowMs, leaseUntilMs);
            if (record === undefined) break;
            taken.push(record);
          }
          for (const record of taken) {
            if (record.id !== newest?.id) await validations.update({ ...record, state: { kind: 'queued' } });
          }
          return taken.find(({ id }) => id === newest?.id);
        },
      }),
  },
  {
    fault: 'gives nothing that was begun before',
    caughtBy: 'gives what was under way when everything crashed, at the latest when the lease is over',
    breaks: (validations) =>
      override(validations, {
        async take(nowMs, leaseUntilMs) {
          const taken = await validations.take(nowMs, leaseUntilMs);
          return taken?.state.kind === 'running' && taken.state.attempts > 1 ? undefined : taken;
        },
      }),
  },
  {
    fault: 'lets a lease be over at once',
    caughtBy: 'gives it again when its lease is over, counting attempts, and none that has ended',
    breaks: (validations) => override(validations, { take: (nowMs) => validations.take(nowMs, nowMs - 1) }),
  },
  {
    fault: 'lets whoever comes late overwrite',
    caughtBy: 'takes writes of whoever took a record last, and of nobody who took it before',
    breaks: (validations) =>
      override(validations, {
        async update(record) {
          const { epoch } = (await validations.read(record.id))!;
          return validations.update({ ...record, epoch });
        },
      }),
  },
  {
    fault: 'leaves the lease as it was',
    caughtBy: 'renews a lease that is written again, and gives back what is queued again',
    breaks: (validations) =>
      override(validations, {
        async update(record) {
          const { state } = (await validations.read(record.id))!;
          return validations.update(record.state.kind === 'running' ? { ...record, state } : record);
        },
      }),
  },
  {
    fault: 'lists what came first',
    caughtBy: 'lists the newest of a model first, no more than asked for',
    breaks: (validations) =>
      override(validations, { list: async (model, limit) => (await validations.list(model, limit)).toReversed() }),
  },
  {
    fault: 'forgets a moment too early',
    caughtBy: 'forgets what is past its time, and nothing else',
    breaks: (validations) => override(validations, { purge: (nowMs) => validations.purge(nowMs + 1) }),
  },
];
