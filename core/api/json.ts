import { Failure } from '../failure.ts';

export type JsonObject = { readonly [key: string]: unknown };

/** Deepest nesting of one tensor's data, and of its shape. */
export const MAX_TENSOR_DEPTH = 16;
/** `{"inputs":[{"data":[…` stands three levels above the data. */
const MAX_DEPTH = MAX_TENSOR_DEPTH + 3;
/**
 * V8 parses without recursion, so depth costs memory and not stack: about 64 bytes a level, one character each. Below this
 * length that is 256 KiB at most, and what is made of the value refuses depth itself; above it the text is scanned first.
 */
const SCAN_FROM_CHARACTERS = 4096;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** The value of a JSON text. `json-invalid`, `json-too-deep`; neither quotes the text. */
export function parseJson(text: string): unknown {
  if (text.length > SCAN_FROM_CHARACTERS && isTooDeep(text)) {
    throw new Failure('json-too-deep', { limit: MAX_TENSOR_DEPTH });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // Not passed on as the cause: V8's message quotes the text around the mistake.
    const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    throw new Failure('json-invalid', position === undefined ? {} : { position: Number(position) });
  }
}

/** The text of UTF-8 bytes; `json-invalid` if they are none. A byte order mark is left out. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new Failure('json-invalid', { detail: 'Body is not UTF-8' });
  }
}

/** A plain object as JSON makes them; `request-invalid` naming `field` otherwise. */
export function expectObject(value: unknown, field: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidField(field, 'must be an object');
  }
  return value as JsonObject;
}

export function expectArray(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidField(field, 'must be an array');
  return value;
}

/** `problem` goes on from the field's name: "must be a string". It never quotes the value. */
export function invalidField(field: string, problem: string): Failure {
  return new Failure('request-invalid', { field, detail: `${field} ${problem}` });
}

/** The failure for a key that the object at `parent` ('' for the body itself) does not have. Long keys are cut. */
export function unknownField(parent: string, key: string): Failure {
  const name = key.length > 64 ? `${key.slice(0, 64)}…` : key;
  return new Failure('field-unknown', { field: parent === '' ? name : `${parent}.${name}` });
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** True if brackets outside strings nest more than `MAX_DEPTH` deep. Says nothing of whether the text is JSON. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** The index of the quote that closes the string opened at `start`, or the last index of the text. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}
