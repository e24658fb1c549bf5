import { type FileHandle, open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { MIB, SECOND_MS } from '../../core/units.ts';
import { nameOf, toFailure } from './aws-failure.ts';
import { inParallel } from './in-parallel.ts';
import { readObject } from './read-object.ts';

/** Larger files are sent and read in parts, each of which can be tried again alone. S3 takes 10,000 parts: 78 GB. */
const PART_BYTES = 8 * MIB;
/** Parts under way at once: 64 MiB of memory, and what one connection of S3 gives (about 90 MB/s) eight times. */
const MOST_PARTS = 8;
/** 8 MiB in this time is 0.5 MB/s. */
const PART_TIMEOUT = { requestTimeout: 16 * SECOND_MS };

/** What an object is, without its bytes. */
export type FoundFile = {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
};

/** Large files in one S3 bucket; failures are those of the core. */
export class BucketFiles {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async find(key: string): Promise<FoundFile | undefined> {
    try {
      const found = await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }));
      return { key, sizeBytes: found.ContentLength ?? 0, etag: found.ETag, metadata: found.Metadata ?? {} };
    } catch (error) {
      if (nameOf(error) === 'NotFound' || nameOf(error) === 'NoSuchKey') return undefined;
      throw toFailure(error);
    }
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })).catch(rethrow);
  }

  /** The bytes in order, of this state of the object and no other. */
  async *read(file: FoundFile): AsyncGenerator<Uint8Array> {
    for (const part of partsOf(file.sizeBytes)) yield await this.#readPart(file, part);
  }

  /** Writes the bytes to an open file, several parts at once. */
  async download(file: FoundFile, into: FileHandle): Promise<void> {
    await inParallel(partsOf(file.sizeBytes), MOST_PARTS, async (part) => {
      await into.write(await this.#readPart(file, part), 0, part.sizeBytes, part.at);
    });
  }

  /** Stores a local file over what is there, whole or not at all. */
  async upload(
    path: string,
    key: string,
    sizeBytes: number,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    const from = await open(path);
    try {
      if (sizeBytes > PART_BYTES) await this.#uploadInParts(from, key, sizeBytes, metadata);
      else await this.#uploadWhole(from, key, sizeBytes, metadata);
    } finally {
      await from.close();
    }
  }

  async #uploadWhole(
    from: FileHandle,
    key: string,
    sizeBytes: number,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    const Body = await readPart(from, { number: 1, at: 0, sizeBytes });
    const put = new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body, Metadata: { ...metadata } });
    await this.#client.send(put, PART_TIMEOUT).catch(rethrow);
  }

  async #uploadInParts(
    from: FileHandle,
    key: string,
    sizeBytes: number,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    const object = { Bucket: this.#bucket, Key: key };
    const started = await this.#client
      .send(new CreateMultipartUploadCommand({ ...object, Metadata: { ...metadata } }))
      .catch(rethrow);
    const upload = { ...object, UploadId: started.UploadId };
    try {
      const Parts = await inParallel(partsOf(sizeBytes), MOST_PARTS, async (part) => {
        const Body = await readPart(from, part);
        const sent = new UploadPartCommand({ ...upload, PartNumber: part.number, Body });
        const { ETag } = await this.#client.send(sent, PART_TIMEOUT);
        return { ETag, PartNumber: part.number };
      });
      await this.#client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    } catch (error) {
      // Parts that stay are paid for; the bucket's lifecycle removes those that this does not.
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
      throw toFailure(error);
    }
  }

  async #readPart({ key, etag }: FoundFile, { at, sizeBytes }: Part): Promise<Uint8Array> {
    const Range = `bytes=${at}-${at + sizeBytes - 1}`;
    const get = new GetObjectCommand({ Bucket: this.#bucket, Key: key, Range, IfMatch: etag });
    try {
      const bytes = await readObject(this.#client, get, PART_TIMEOUT);
      if (bytes.length !== sizeBytes) throw new Error('an object ended early');
      return bytes;
    } catch (error) {
      throw toFailure(error);
    }
  }
}

type Part = { readonly number: number; readonly at: number; readonly sizeBytes: number };

function partsOf(sizeBytes: number): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < sizeBytes; at += PART_BYTES) {
    parts.push({ number: parts.length + 1, at, sizeBytes: Math.min(PART_BYTES, sizeBytes - at) });
  }
  return parts;
}

async function readPart(from: FileHandle, { at, sizeBytes }: Part): Promise<Uint8Array> {
  const bytes = Buffer.alloc(sizeBytes);
  const { bytesRead } = await from.read(bytes, 0, sizeBytes, at);
  if (bytesRead !== sizeBytes) throw new Error('a file changed while it was sent');
  return bytes;
}

function rethrow(error: unknown): never {
  throw toFailure(error);
}
