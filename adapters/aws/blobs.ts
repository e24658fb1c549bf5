import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { namedError, nameOf, toFailure } from './aws-failure.ts';
import { readObject } from './read-object.ts';

/** Bytes in one S3 bucket, each whole or not at all; failures are those of the core. Keys come from `keys.ts`. */
export class Blobs {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: bytes })).catch(rethrow);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      return await readObject(this.#client, new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
    } catch (error) {
      if (nameOf(error) === 'NoSuchKey') return undefined;
      throw toFailure(error);
    }
  }

  /** Harmless if there is none. */
  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })).catch(rethrow);
  }

  /** Deletes all whose key starts so. */
  async deleteAll(prefix: string): Promise<void> {
    for (;;) {
      const list = new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: prefix });
      const { Contents: found = [] } = await this.#client.send(list).catch(rethrow);
      if (found.length === 0) return;
      const objects = found.map(({ Key }) => ({ Key: Key! }));
      const remove = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects: objects, Quiet: true } });
      const { Errors: errors = [] } = await this.#client.send(remove).catch(rethrow);
      if (errors.length > 0) throw toFailure(namedError(errors[0]!.Code, errors[0]!.Message));
    }
  }
}

function rethrow(error: unknown): never {
  throw toFailure(error);
}
