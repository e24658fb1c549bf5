import { setTimeout as delay } from 'node:timers/promises';
import type { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { MOST_ATTEMPTS, pauseMs } from './bounded-retry.ts';

/**
 * The bytes of an object, whole. The SDK tries a call again until the answer begins; an answer that breaks off is asked for again
 * here, as often and with the same pauses. Throws as the SDK does.
 */
export async function readObject(
  client: S3Client,
  get: GetObjectCommand,
  options: { readonly requestTimeout?: number } = {},
): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt += 1) {
    const { Body: body, ContentLength: sizeBytes } = await client.send(get, options);
    if (body === undefined) throw new Error('an object without a body');
    try {
      const bytes = await body.transformToByteArray();
      if (sizeBytes === undefined || bytes.length === sizeBytes) return bytes;
      throw new Error('an object ended early');
    } catch (error) {
      if (attempt === MOST_ATTEMPTS) throw error;
      await delay(pauseMs(attempt));
    }
  }
}
