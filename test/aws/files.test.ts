import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ArtifactCache } from '../../adapters/aws/artifact-cache.ts';
import { AwsArtifacts } from '../../adapters/aws/artifacts.ts';
import { BucketFiles } from '../../adapters/aws/bucket-files.ts';
import { AwsUploads } from '../../adapters/aws/uploads.ts';
import { GIB, HOUR_MS, MIB } from '../../core/units.ts';
import { recordCalls } from '../support/aws/emulators.ts';
import { putToUrl } from '../support/aws/put-to-url.ts';
import { SqsEmulator } from '../support/aws/sqs-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { serviceError, stubCalls } from '../support/aws/stub-calls.ts';

let emulator: SqsEmulator;
const folders: string[] = [];
beforeAll(async () => {
  emulator = await SqsEmulator.start();
});
afterAll(async () => {
  await emulator.stop();
  for (const folder of folders) await rm(folder, { recursive: true });
});

function host(bucket: string, cacheBytes = GIB) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  folders.push(folder);
  const files = new BucketFiles(emulator.s3, bucket);
  return { artifacts: new AwsArtifacts(files, new ArtifactCache(folder, cacheBytes)), folder };
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test('a large file goes and comes in parts, several at once, and is whole', async () => {
  const bucket = emulator.createBucket();
  const bytes = Buffer.alloc(20 * MIB, randomBytes(997));
  const { calls, stop } = recordCalls(emulator.s3);
  const { digest } = await host(bucket).artifacts.store(whole(bytes));
  expect(calls.filter((call) => call === 'UploadPart')).toHaveLength(3);
  const path = await host(bucket).artifacts.fetch(digest);
  stop();
  expect(calls.filter((call) => call === 'GetObject')).toHaveLength(3);
  expect(
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
  ).toBe(digest);
});

test('of a file whose parts do not all arrive nothing stays', async () => {
  const bucket = emulator.createBucket();
  const { artifacts, folder } = host(bucket);
  const bytes = Buffer.alloc(20 * MIB, 7);
  const calls: string[] = [];
  const stop = stubCalls(emulator.s3, (command, { PartNumber }) => {
    calls.push(command);
    return command === 'UploadPart' && PartNumber === 3 ? serviceError('SlowDown') : undefined;
  });
  await expect(artifacts.store(whole(bytes))).rejects.toMatchObject({ code: 'overloaded' });
  stop();
  expect(calls).toContain('AbortMultipartUpload');
  expect(await artifacts.has(createHash('sha256').update(bytes).digest('hex'))).toBe(false);
  expect(await readdir(folder)).toEqual([]);
});

test('what is there already is not sent again', async () => {
  const bucket = emulator.createBucket();
  const { artifacts } = host(bucket);
  await artifacts.store(whole(Buffer.from('model')));
  const { calls, stop } = recordCalls(emulator.s3);
  await artifacts.store(whole(Buffer.from('model')));
  stop();
  expect(calls).toEqual(['HeadObject']);
});

test('a file is fetched once for all who ask at once, then read from the disk, and again if it was changed there', async () => {
  const bucket = emulator.createBucket();
  const { digest } = await host(bucket).artifacts.store(whole(Buffer.from('model')));
  const { artifacts, folder } = host(bucket);
  const { calls, stop } = recordCalls(emulator.s3);
  await Promise.all([1, 2, 3].map(() => artifacts.fetch(digest)));
  await artifacts.fetch(digest);
  expect(calls.splice(0)).toEqual(['HeadObject', 'GetObject']);
  await writeFile(join(folder, digest), 'mudel');
  expect(await readFile(await artifacts.fetch(digest), 'utf8')).toBe('model');
  expect(calls).toEqual(['HeadObject', 'GetObject']);
  stop();
});

test('the cache stays within its size: what was asked for longest ago goes, and nothing of the last minutes', async () => {
  const bucket = emulator.createBucket();
  const { artifacts, folder } = host(bucket, 250);
  const digests: string[] = [];
  for (const [at, minutes] of [60, 30, 0].entries()) {
    const { digest } = await artifacts.store(whole(Buffer.alloc(100, at)));
    digests.push(digest);
    const asked = new Date(Date.now() - minutes * 60_000);
    await utimes(join(folder, digest), asked, asked);
  }
  const { digest } = await artifacts.store(whole(Buffer.alloc(100, 9)));
  expect((await readdir(folder)).sort()).toEqual([digests[2], digest].sort());
});

test('an upload takes what its owner puts; too much is refused when it is opened, and removed', async () => {
  const bucket = emulator.createBucket();
  const clock = new SteppedClock();
  const files = new BucketFiles(emulator.s3, bucket);
  const uploads = new AwsUploads({ client: emulator.s3, bucket, files, clock });
  const { id, url } = await uploads.create('key:1', 8);
  expect(new URL(url).searchParams.has('X-Amz-Signature')).toBe(true);
  expect(url).not.toMatch(/checksum/i);
  await putToUrl(url, Buffer.from('123456789'), clock.nowMs());
  await expect(uploads.open('key:1', id)).rejects.toMatchObject({ code: 'body-too-large', facts: { limit_bytes: 8 } });
  await expect(uploads.open('key:1', id)).rejects.toMatchObject({ code: 'upload-unknown' });
  await putToUrl(url, Buffer.from('12345678'), clock.nowMs());
  expect(Buffer.concat(await Array.fromAsync(await uploads.open('key:1', id))).toString()).toBe('12345678');
});

test('a changed id names nothing: neither later nor larger', async () => {
  const bucket = emulator.createBucket();
  const clock = new SteppedClock();
  const files = new BucketFiles(emulator.s3, bucket);
  const uploads = new AwsUploads({ client: emulator.s3, bucket, files, clock });
  const { id, url, expiresAtMs } = await uploads.create('key:1', 8);
  await putToUrl(url, Buffer.from('12345678'), clock.nowMs());
  const [, ends, most, random] = id.split('_');
  const later = (expiresAtMs + HOUR_MS).toString(36);
  for (const changed of [`upl_${later}_${most}_${random}`, `upl_${ends}_zzzz_${random}`, '../x', `${id}/..`, '']) {
    await expect(uploads.open('key:1', changed)).rejects.toMatchObject({ code: 'upload-unknown' });
  }
});
