import { randomBytes } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { Failure } from '../../core/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Uploads } from '../../core/ports/uploads.ts';
import { HOUR_MS, SECOND_MS } from '../../core/units.ts';
import type { BucketFiles, FoundFile } from './bucket-files.ts';
import { uploadKey } from './keys.ts';

/** `upl_`, when it is forgotten, how large it may be, and what nobody can guess. */
const ID = /^upl_([0-9a-z]{1,9})_([0-9a-z]{1,11})_[0-9a-f]{32}$/;

type Parts = {
  readonly client: S3Client;
  readonly bucket: string;
  readonly files: BucketFiles;
  readonly clock: Clock;
};

/**
 * Uploads straight to S3. The id says when an upload ends and how large it may be, and the object's key is made of owner and
 * id: a changed id or another owner names an object that is not there, so nothing else is kept of an upload. S3 takes what
 * is put until the URL ends; what is too large is refused, and removed, when it is opened.
 */
export class AwsUploads implements Uploads {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create(owner: string, maxBytes: number): Promise<{ id: string; url: string; expiresAtMs: number }> {
    const { client, bucket, clock } = this.#parts;
    const nowMs = Math.floor(clock.nowMs());
    const expiresAtMs = nowMs + HOUR_MS;
    const id = `upl_${expiresAtMs.toString(36)}_${maxBytes.toString(36)}_${randomBytes(16).toString('hex')}`;
    const put = new PutObjectCommand({ Bucket: bucket, Key: uploadKey(owner, id) });
    const signing = { expiresIn: HOUR_MS / SECOND_MS, signingDate: new Date(nowMs) };
    return { id, url: await getSignedUrl(client, put, signing), expiresAtMs };
  }

  /** The bytes never come to this host. */
  async receive(): Promise<{ sizeBytes: number }> {
    throw new Failure('upload-unknown');
  }

  async open(owner: string, id: string): Promise<AsyncIterable<Uint8Array>> {
    const { files, clock } = this.#parts;
    const [, ends = '', most = ''] = ID.exec(id) ?? [];
    if (ends === '' || Number.parseInt(ends, 36) <= clock.nowMs()) throw new Failure('upload-unknown');
    const found: FoundFile | undefined = await files.find(uploadKey(owner, id));
    if (found === undefined) throw new Failure('upload-unknown');
    const maxBytes = Number.parseInt(most, 36);
    if (found.sizeBytes > maxBytes) {
      await files.delete(found.key);
      throw new Failure('body-too-large', { limit_bytes: maxBytes });
    }
    return files.read(found);
  }

  async discard(owner: string, id: string): Promise<void> {
    if (ID.test(id)) await this.#parts.files.delete(uploadKey(owner, id));
  }
}
