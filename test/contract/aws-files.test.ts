import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { ArtifactCache } from '../../adapters/aws/artifact-cache.ts';
import { AwsArtifacts } from '../../adapters/aws/artifacts.ts';
import { BucketFiles } from '../../adapters/aws/bucket-files.ts';
import { artifactKey } from '../../adapters/aws/keys.ts';
import { AwsUploads } from '../../adapters/aws/uploads.ts';
import type { Artifacts } from '../../core/ports/artifacts.ts';
import type { Uploads } from '../../core/ports/uploads.ts';
import { GIB } from '../../core/units.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { putToUrl } from '../support/aws/put-to-url.ts';
import { SqsEmulator } from '../support/aws/sqs-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { type ArtifactsSubject, describeArtifactsContract } from './artifacts.contract.ts';
import { type Adapter, withMore } from './contract.ts';
import { describeUploadsContract, type UploadsSubject } from './uploads.contract.ts';

let emulator: SqsEmulator;
const folders: string[] = [];
beforeAll(async () => {
  emulator = await SqsEmulator.start();
});
afterAll(async () => {
  await emulator.stop();
  for (const folder of folders) await rm(folder, { recursive: true });
});

const artifacts: Adapter<Artifacts, ArtifactsSubject> = {
  async open() {
    const bucket = emulator.createBucket();
    const files = new BucketFiles(emulator.s3, bucket);
    let cache = '';
    const open = () => {
      cache = mkdtempSync(join(tmpdir(), 'sluice-test-'));
      folders.push(cache);
      return new AwsArtifacts(files, new ArtifactCache(cache, GIB));
    };
    // Another host: nothing is in its cache.
    return withMore(clientSubject(new SteppedClock(), open), {
      async damage(digest: string) {
        const bytes = await readFile(join(cache, digest));
        bytes[1000]! ^= 1;
        await emulator.s3.send(new PutObjectCommand({ Bucket: bucket, Key: artifactKey(digest), Body: bytes }));
      },
      async lose(digest: string) {
        await emulator.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: artifactKey(digest) }));
      },
    });
  },
};

const S3_TAKES_ALL = 'S3 takes what is put until the URL ends; see test/aws/files.test.ts';
const uploads: Adapter<Uploads, UploadsSubject> = {
  deviations: {
    'takes bytes once, of callers that come together too, and only at its own URL': S3_TAKES_ALL,
    'refuses more than was announced, keeps nothing that broke off, and can be put again': S3_TAKES_ALL,
  },
  async open() {
    const bucket = emulator.createBucket();
    const clock = new SteppedClock();
    const files = new BucketFiles(emulator.s3, bucket);
    const open = () => new AwsUploads({ client: emulator.s3, bucket, files, clock });
    return withMore(clientSubject(clock, open), {
      put: async (url: string, bytes: AsyncIterable<Uint8Array>) =>
        putToUrl(url, Buffer.concat(await Array.fromAsync(bytes)), clock.nowMs()),
    });
  },
};

describeArtifactsContract('aws', artifacts);
describeUploadsContract('aws', uploads);
