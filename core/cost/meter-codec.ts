import { z } from 'zod';
import { type MeterRecord, PURCHASES, type TenantUse } from '../ports/meters.ts';

const count = z.number().min(0);
const name = z.string().min(1);
const record = z.strictObject({
  format: z.literal(1),
  day: z.int(),
  writer: name,
  part: z.int().min(0),
  worker: z.strictObject({
    worker: name,
    pool: name,
    instanceType: name,
    purchase: z.enum(PURCHASES),
    gpu: z.boolean(),
    runners: z.int().min(1),
    usdPerHour: count,
    upMs: count,
    busyMs: count,
  }),
  /** Tenant, model, version, milliseconds, rows, requests: by place, as there are thousands. */
  uses: z.array(z.tuple([z.string(), name, name, count, count, count])),
});

/** A record as a text that a store keeps. */
export function encodeMeter({ uses, ...rest }: MeterRecord): string {
  const written: z.input<typeof record> = {
    format: 1,
    ...rest,
    uses: uses.map((use) => [use.tenant, use.model, use.version, use.computeMs, use.rows, use.requests]),
  };
  return JSON.stringify(written);
}

/** Throws on a text that `encodeMeter` did not make: the store's adapter leaves such a record out. */
export function decodeMeter(text: string): MeterRecord {
  const { format: _, uses, ...rest } = record.parse(JSON.parse(text));
  return {
    ...rest,
    uses: uses.map(([tenant, model, version, computeMs, rows, requests]) => ({
      ...{ tenant, model, version, computeMs, rows, requests },
    })),
  };
}

/** Model, version, pool, milliseconds, rows, requests, billionths of a dollar. */
const tenantUses = z.array(z.tuple([name, name, name, count, count, count, z.int().min(0)]));

/** What a tenant used in a day as a text that a store keeps. */
export function encodeTenantUses(uses: readonly TenantUse[]): string {
  const written: z.input<typeof tenantUses> = uses.map((use) => [
    ...([use.model, use.version, use.pool] as const),
    ...([use.computeMs, use.rows, use.requests, use.nanoUsd] as const),
  ]);
  return JSON.stringify(written);
}

/** Throws on a text that `encodeTenantUses` did not make. */
export function decodeTenantUses(text: string): readonly TenantUse[] {
  return tenantUses.parse(JSON.parse(text)).map(([model, version, pool, computeMs, rows, requests, nanoUsd]) => ({
    ...{ model, version, pool, computeMs, rows, requests, nanoUsd },
  }));
}
