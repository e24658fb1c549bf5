import { dayOf } from '../../core/cost/meter-days.ts';
import type { MeteredUse, MeteredWorker, MeterRecord, TenantDay } from '../../core/ports/meters.ts';

export function aUse(changes: Partial<MeteredUse> = {}): MeteredUse {
  return { tenant: 'acme', model: 'm', version: '1', computeMs: 10, rows: 2, requests: 1, ...changes };
}

type RecordChanges = Omit<Partial<MeterRecord>, 'worker'> & { readonly worker?: Partial<MeteredWorker> };

/** What a worker of two runners said of the day that it is. */
export function aMeterRecord(nowMs: number, { worker, ...changes }: RecordChanges = {}): MeterRecord {
  return {
    day: dayOf(nowMs),
    writer: 'w',
    part: 0,
    uses: [aUse()],
    ...changes,
    worker: {
      worker: 'w1',
      pool: 'default',
      instanceType: 'g5.xlarge',
      purchase: 'spot',
      gpu: true,
      runners: 2,
      usdPerHour: 0.42,
      upMs: 1000,
      busyMs: 20.5,
      ...worker,
    },
  };
}

/** What `acme` used in a day. */
export function aTenantDay(day: number, changes: Partial<TenantDay> = {}): TenantDay {
  const use = { model: 'm', version: '1', pool: 'default', computeMs: 1.5, rows: 2, requests: 1, nanoUsd: 20 };
  return { tenant: 'acme', day, uses: [use], ...changes };
}
