import { readFile, stat } from 'node:fs/promises';
import { Failure } from '../../core/failure.ts';
import type { Artifacts } from '../../core/ports/artifacts.ts';
import type { Tokenizer, Tokenizers } from '../../core/ports/tokenizers.ts';
import { MIB } from '../../core/units.ts';
import { parseTokenizer } from './tokenizer-file.ts';

/** The largest tokenizers of published models are just below it; opening one of that size takes 1 to 2 s. */
export const LARGEST_FILE_BYTES = 32 * MIB;
/** Files of opened tokenizers, together: as much as eight of the largest, or hundreds of usual ones (0.5 MB). In memory they take nine times that. */
const MOST_OPEN_BYTES = 256 * MIB;

type Open = { readonly tokenizer: Promise<Tokenizer>; bytes: number };

/**
 * Tokenizers in the form of Hugging Face's `tokenizer.json`. Kept are those whose files have at most `mostOpenBytes` together;
 * those used longest ago are closed first.
 */
export function createTokenizers(artifacts: Pick<Artifacts, 'fetch'>, mostOpenBytes = MOST_OPEN_BYTES): Tokenizers {
  const opened = new Map<string, Open>();
  const open = async (digest: string, entryOf: () => Open): Promise<Tokenizer> => {
    try {
      const { tokenizer, bytes } = await openFile(artifacts, digest);
      entryOf().bytes = bytes;
      closeOldest(opened, mostOpenBytes);
      return tokenizer;
    } catch (error) {
      if (opened.get(digest) === entryOf()) opened.delete(digest);
      throw error;
    }
  };
  return {
    open(digest) {
      const known = opened.get(digest);
      if (known !== undefined) {
        opened.delete(digest);
        opened.set(digest, known);
        return known.tokenizer;
      }
      const entry: Open = { tokenizer: open(digest, () => entry), bytes: 0 };
      opened.set(digest, entry);
      return entry.tokenizer;
    },
    isOpen: (digest) => opened.has(digest),
  };
}

async function openFile(
  artifacts: Pick<Artifacts, 'fetch'>,
  digest: string,
): Promise<{ readonly tokenizer: Tokenizer; readonly bytes: number }> {
  const path = await artifacts.fetch(digest);
  const { size } = await stat(path);
  if (size > LARGEST_FILE_BYTES) {
    throw new Failure('tokenizer-invalid', { detail: `it has ${size} bytes; at most ${LARGEST_FILE_BYTES} may be` });
  }
  return { tokenizer: parseTokenizer(await readFile(path)), bytes: size };
}

function closeOldest(opened: Map<string, Open>, mostOpenBytes: number): void {
  let bytes = 0;
  for (const open of opened.values()) bytes += open.bytes;
  for (const [digest, open] of opened) {
    if (bytes <= mostOpenBytes) return;
    opened.delete(digest);
    bytes -= open.bytes;
  }
}
