import type { z } from 'zod';
import { Failure } from '../failure.ts';
import { unknownField } from './json.ts';

/**
 * `value` as the schema has it. Unknown keys are `field-unknown`, everything else `request-invalid`; both name the field
 * (`place` where the value itself is wrong) and say what was expected, never what was sent.
 */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown, place: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const field = pathOf(issue.path);
  if (issue.code === 'unrecognized_keys') throw unknownField(field, issue.keys[0] ?? '');
  throw new Failure('request-invalid', { field: field === '' ? place : field, detail: issue.message });
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    // Keys of a record are the sender's: cut, as in `unknownField`.
    const name = String(key).slice(0, 64);
    return text === '' ? name : `${text}.${name}`;
  }, '');
}
