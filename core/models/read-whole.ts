import { Failure } from '../failure.ts';

/** All bytes of a file of a model folder. Throws `body-too-large` with its `field` as soon as there are more than `limitBytes`. */
export async function readWhole(
  bytes: AsyncIterable<Uint8Array>,
  field: 'golden' | 'reference',
  limitBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > limitBytes) throw new Failure('body-too-large', { field, limitBytes });
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
