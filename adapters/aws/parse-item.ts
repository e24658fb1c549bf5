import type { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import type { Item } from './table.ts';

/** An item as its schema says, or `record-damaged`: one bad item never takes others along. */
export function parseItem<T>(schema: z.ZodType<T>, item: Item): T {
  const parsed = schema.safeParse(item);
  if (parsed.success) return parsed.data;
  throw new Failure(
    'record-damaged',
    { detail: `item ${String(item.pk)} ${String(item.sk)}` },
    { cause: parsed.error },
  );
}
