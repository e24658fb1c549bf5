import { Failure } from '../failure.ts';
import { DAY_MS } from '../units.ts';
import { expectObject, invalidField, unknownField } from './json.ts';

/**
 * Hints that MLServer's clients send. These three say what the datatype says already; others (base64, datetime) would
 * change what `data` means, so they are refused.
 */
const CONTENT_TYPES: readonly unknown[] = ['np', 'str', 'pd'];

/**
 * Parameters that are not known are refused like every unknown field: one that is silently ignored (a priority, a
 * sequence, a shared-memory region) misleads its sender.
 */
export function requestParameters(json: unknown): { binaryByDefault: boolean; timeoutMs: number | undefined } {
  const parameters = expectObject(json, 'parameters');
  let binaryByDefault = false;
  let timeoutMs: number | undefined;
  for (const key in parameters) {
    const value = parameters[key];
    if (key === 'timeout_ms') timeoutMs = timeoutOf(value);
    else if (key === 'binary_data_output') binaryByDefault = expectBoolean(value, 'parameters.binary_data_output');
    else if (key === 'content_type') checkContentType(value, 'parameters');
    else throw unknownField('parameters', key);
  }
  return { binaryByDefault, timeoutMs };
}

/** `binary_data_size` of an input's parameters. */
export function inputParameters(json: unknown, field: string): number | undefined {
  const parent = `${field}.parameters`;
  const parameters = expectObject(json, parent);
  let sizeBytes: number | undefined;
  for (const key in parameters) {
    const value = parameters[key];
    if (key === 'binary_data_size') {
      if (typeof value !== 'number' || value < 0 || !Number.isSafeInteger(value)) {
        throw new Failure('binary-length-invalid', { field: `${parent}.binary_data_size` });
      }
      sizeBytes = value;
    } else if (key === 'content_type') {
      checkContentType(value, parent);
    } else {
      throw unknownField(parent, key);
    }
  }
  return sizeBytes;
}

/** `binary_data` of a requested output's parameters. */
export function outputParameters(json: unknown, field: string): boolean | undefined {
  const parent = `${field}.parameters`;
  const parameters = expectObject(json, parent);
  let binary: boolean | undefined;
  for (const key in parameters) {
    if (key !== 'binary_data') throw unknownField(parent, key);
    binary = expectBoolean(parameters[key], `${parent}.binary_data`);
  }
  return binary;
}

function timeoutOf(value: unknown): number {
  if (typeof value !== 'number' || value < 1 || value > DAY_MS || !Number.isInteger(value)) {
    throw invalidField('parameters.timeout_ms', `must be a whole number of milliseconds from 1 to ${DAY_MS}`);
  }
  return value;
}

function checkContentType(value: unknown, parent: string): void {
  if (!CONTENT_TYPES.includes(value)) {
    throw invalidField(`${parent}.content_type`, 'must be np, str or pd: data is read as the datatype says');
  }
}

function expectBoolean(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw invalidField(field, 'must be true or false');
  return value;
}
