import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { manifestSchema } from '../../core/models/manifest.ts';

const PAGE = readFileSync(new URL('../../docs/manifest.md', import.meta.url), 'utf8');

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly default?: unknown;
};

/** Keys as the page writes them, such as `inputs.<name>.min`. */
function keysOf(schema: Schema, path: string): string[] {
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.flatMap((option) => keysOf(option, path)))];
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([key, value]) =>
      keysOf(value, path === '' ? key : `${path}.${key}`),
    );
  }
  if (path === 'inputs' || path === 'variants') {
    const each = path === 'inputs' ? '<name>' : '<plan>';
    return keysOf(schema.additionalProperties as Schema, `${path}.${each}`);
  }
  return [path];
}

test('docs/manifest.md explains every key of a manifest and no other', () => {
  const schema = z.toJSONSchema(manifestSchema, { io: 'input' }) as Schema;
  const explained = [...PAGE.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, key]) => key!),
  );
  expect(explained.toSorted()).toEqual(keysOf(schema, '').toSorted());
});
