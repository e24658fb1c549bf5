import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Bought } from '../core/cost/price-list.ts';

const instance = z.strictObject({ instanceType: z.string().min(1), purchase: z.enum(['on-demand', 'spot']) });

/** What an instance said of itself; undefined where there is no such file, or none that can be read. */
export function readInstance(path: string): Bought | undefined {
  try {
    return instance.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
