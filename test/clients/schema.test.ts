import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { generateSchema, SCHEMA_FILE } from '../../clients/generate-typescript.ts';
import { createSluiceClient, type SluiceClient } from '../../clients/typescript/client.ts';
import type { PendingPrediction, Prediction } from '../../clients/typescript/prediction.ts';
import { type InferRequest, OPERATIONS, type Problem, type Tenant } from '../../clients/typescript/schema.ts';
import { SluiceError } from '../../clients/typescript/sluice-error.ts';
import { texts } from '../../clients/typescript/tensors.ts';
import { ROUTES } from '../../core/api/routes.ts';
import type { FailureCode } from '../../core/failure.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the types of the client', () => {
  test('are those of the route table (`npm run client:generate` writes them)', async () => {
    expect(await generateSchema()).toBe(await readFile(SCHEMA_FILE, 'utf8'));
  });

  test('have every operation of the table, and no other', () => {
    const listed = Object.entries(OPERATIONS).map(([id, [method, path]]) => `${id} ${method} ${path}`);
    expect(listed.sort()).toEqual(ROUTES.map(({ id, method, path }) => `${id} ${method} ${path}`).sort());
  });

  test('and its code need nothing of Node: they compile for browsers', async () => {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const args = [tsc, '--noEmit', '--project', join(ROOT, 'clients', 'typescript')];
    const { stdout } = await promisify(execFile)(process.execPath, args).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });
});

/** Never called: what is promised here is checked by the compiler. */
async function whatTheCompilerPromises(client: SluiceClient): Promise<void> {
  expectTypeOf<Problem['code']>().toEqualTypeOf<FailureCode>();

  expectTypeOf(await client.predict('m', [])).toEqualTypeOf<Prediction>();
  expectTypeOf(await client.predict('m', [], { waitS: 5 })).toEqualTypeOf<Prediction>();
  expectTypeOf(await client.predict('m', [], { async: true })).toEqualTypeOf<PendingPrediction>();
  expectTypeOf(texts('text', ['a'])).toExtend<InferRequest['inputs'][number]>();

  expectTypeOf(await client.call('tenant-read', { params: { tenant: 'acme' } })).toEqualTypeOf<Tenant>();
  expectTypeOf(await client.call('tenant-erase', { params: { tenant: 'acme' } })).toEqualTypeOf<undefined>();
  await client.call('tenant-list');
  await client.call('tenant-list', { query: { limit: 5 } });
  await client.call('capture-consent-put', { params: { tenant: 'acme' }, body: { consent: true } });
  // @ts-expect-error: an operation that there is not
  await client.call('tenant-paint');
  // @ts-expect-error: without the tenant
  await client.call('tenant-read');
  // @ts-expect-error: with another parameter
  await client.call('tenant-read', { params: { model: 'm' } });
  // @ts-expect-error: without the body
  await client.call('capture-consent-put', { params: { tenant: 'acme' } });
  // @ts-expect-error: a member of the body that there is not
  await client.call('capture-consent-put', { params: { tenant: 'acme' }, body: { consent: true, why: '' } });
  // @ts-expect-error: a datatype that there is not
  await client.predict('m', [{ name: 'x', datatype: 'FP8', shape: [1], data: [1] }]);
  // @ts-expect-error: a client without a token
  createSluiceClient({ baseUrl: 'http://localhost' });
}

test('an error has the code that a caller branches on', () => {
  expectTypeOf(whatTheCompilerPromises).toBeFunction();
  const error = new SluiceError({ code: 'network', message: 'No answer', advice: 'Try again.', retryable: true });
  if (error.code === 'network') expectTypeOf(error.code).toEqualTypeOf<'network'>();
  expect(error).toMatchObject({ name: 'SluiceError', code: 'network', advice: 'Try again.', retryable: true });
});
