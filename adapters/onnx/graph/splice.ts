import { createWriteStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { writeVarint } from './codec.ts';
import type { Frame } from './walk.ts';

/** What stands from `start` to `end` of the file becomes `bytes`; `inside` is the message around it. */
export type Edit = { readonly inside: Frame; readonly start: number; readonly end: number; readonly bytes: Uint8Array };

const CHUNK_BYTES = 256 * 1024;

type Splice = Omit<Edit, 'inside'>;

/**
 * Writes the file with these edits, which do not overlap, to `target`. The lengths of all messages around them are mended;
 * every other byte is as it was.
 */
export async function writeSpliced(
  file: FileHandle,
  sizeBytes: number,
  edits: readonly Edit[],
  target: string,
): Promise<void> {
  const splices = [...edits, ...mendLengths(edits)].sort((a, b) => a.start - b.start || a.end - b.end);
  async function* parts(): AsyncGenerator<Uint8Array> {
    let position = 0;
    for (const { start, end, bytes } of [...splices, { start: sizeBytes, end: sizeBytes, bytes: new Uint8Array() }]) {
      if (start < position) throw new Error('edits of a model file overlap');
      yield* range(file, position, start);
      yield bytes;
      position = end;
    }
  }
  await pipeline(parts, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
}

async function* range(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let position = start; position < end; ) {
    // A new buffer each time: the one before may not have been written yet.
    const bytes = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, position);
    if (bytesRead === 0) throw new Error('a model file became shorter while it was copied');
    yield bytes.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** The lengths that change, innermost first: a length that becomes longer or shorter changes those around it. */
function mendLengths(edits: readonly Edit[]): Splice[] {
  const growth = new Map<Frame, number>();
  const grow = (frame: Frame, bytes: number) => growth.set(frame, (growth.get(frame) ?? 0) + bytes);
  for (const { inside, start, end, bytes } of edits) {
    for (let frame: Frame | undefined = inside; frame !== undefined; frame = frame.around) grow(frame, 0);
    grow(inside, bytes.length - (end - start));
  }
  const splices: Splice[] = [];
  for (const frame of [...growth.keys()].sort((a, b) => b.depth - a.depth)) {
    if (frame.around === undefined) continue;
    const { lengthAt, contentAt, end } = frame;
    const bytes = writeVarint(end - contentAt + growth.get(frame)!);
    splices.push({ start: lengthAt, end: contentAt, bytes });
    grow(frame.around, growth.get(frame)! + bytes.length - (contentAt - lengthAt));
  }
  return splices;
}
