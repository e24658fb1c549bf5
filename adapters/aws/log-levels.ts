import { z } from 'zod';
import { LOGGED_LEVELS, type LogLevelChange, type LogLevels } from '../../core/ports/log-levels.ts';
import { LOG_LEVEL_KEY } from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Table } from './table.ts';

const itemSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  level: z.enum(LOGGED_LEVELS),
  untilMs: z.number(),
  by: z.string(),
});

/** One item of the control table, which every process may read: changing the settings parameter would be a deployment's own change. */
export class AwsLogLevels implements LogLevels {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async put(change: LogLevelChange): Promise<void> {
    await this.#table.put({ ...LOG_LEVEL_KEY, ...change });
  }

  async read(): Promise<LogLevelChange | undefined> {
    const item = await this.#table.get(LOG_LEVEL_KEY);
    if (item === undefined) return undefined;
    const { level, untilMs, by } = parseItem(itemSchema, item);
    return { level, untilMs, by };
  }
}
