import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { Failure } from '../../core/failure.ts';

export type TarLimits = {
  readonly entries: number;
  /** Of all that comes out of the archive. */
  readonly unpackedBytes: number;
};

type Bytes = AsyncIterable<Uint8Array>;

/**
 * Hands each named file of a `.tar.gz` to `take`, in the order of the archive, and skips the rest. What is in folders is not named:
 * `./model.onnx` is, `code/model.onnx` is not. Ends early when `take` returns 'stop'. Nothing is written anywhere. Throws
 * `model-invalid` for what is no such archive, for a path that leaves it, for a named file that is a link or there twice;
 * `body-too-large` beyond the limits, before the bytes are handed on.
 */
export async function readTar(
  archive: Bytes,
  names: ReadonlySet<string>,
  limits: TarLimits,
  take: (name: string, bytes: Bytes) => Promise<'stop' | undefined>,
): Promise<void> {
  const entries = extract();
  const stop = new AbortController();
  // A failure of either end ends the other, which then says why.
  const unpacked = pipeline(Readable.from(archive), createGunzip(), atMost(limits.unpackedBytes), entries, {
    signal: stop.signal,
  }).catch((error: unknown) => {
    if (!stop.signal.aborted) entries.destroy(error instanceof Error ? error : undefined);
    return error;
  });
  const seen = new Set<string>();
  let count = 0;
  try {
    for await (const entry of entries) {
      count += 1;
      if (count > limits.entries) throw new Failure('body-too-large', { field: 'entries', limit: limits.entries });
      const name = nameOf(entry.header.name);
      if (name !== undefined && names.has(name)) {
        if (entry.header.type !== 'file' && entry.header.type !== 'contiguous-file')
          throw invalid(`${name} is no file`);
        if (seen.has(name)) throw invalid(`${name} is there twice`);
        seen.add(name);
        if ((await take(name, entry as AsyncIterable<unknown> as Bytes)) === 'stop') return;
      }
      entry.resume();
    }
  } catch (error) {
    throw asInvalid(error);
  } finally {
    stop.abort();
    await unpacked;
  }
}

/** The path without `./`; undefined: in a folder. Throws for one that leaves the archive. */
function nameOf(path: string): string | undefined {
  const parts = path.split('/').filter((part) => part !== '.' && part !== '');
  if (path.startsWith('/') || parts.includes('..')) throw invalid('a path leaves the archive');
  return parts.length === 1 ? parts[0] : undefined;
}

function atMost(limitBytes: number) {
  return async function* limited(bytes: Bytes): AsyncGenerator<Uint8Array> {
    let length = 0;
    for await (const chunk of bytes) {
      length += chunk.length;
      if (length > limitBytes) throw new Failure('body-too-large', { field: 'archive', limitBytes });
      yield chunk;
    }
  };
}

/** zlib and tar-stream say in words of their own what is wrong with the bytes; what else fails is not theirs. */
function asInvalid(error: unknown): unknown {
  if (error instanceof Failure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const isZlib = typeof code === 'string' && (code.startsWith('Z_') || code.startsWith('ERR_ZLIB'));
  const isTar = /tar|end of data/i.test(String(message));
  return isZlib || isTar ? invalid('it is no whole .tar.gz', error) : error;
}

function invalid(detail: string, cause?: unknown): Failure {
  return new Failure('model-invalid', { detail: `the model data: ${detail}` }, { cause });
}
