import { readPart } from './codec.ts';
import { damagedAt } from './damage.ts';
import type { FileReader } from './file-reader.ts';
import type { MessageName, Messages } from './messages.ts';
import { type Field, type Frame, LENGTH } from './walk.ts';

/** Names that exporters make of paths within a model have some hundred bytes. */
export const MOST_NAME_BYTES = 2048;

/** Reads the text of a field into a member of `target`, at once where it is at hand; one of more than 2,048 bytes is left out. */
export function readName<K extends string>(
  reader: FileReader,
  field: Field,
  target: Record<K, string>,
  key: K,
): Promise<void> | undefined {
  const { wire, value: length, start } = field;
  if (wire !== LENGTH) throw damagedAt(start, 'something else where a name belongs');
  if (length > MOST_NAME_BYTES) return undefined;
  const take = () => {
    target[key] = reader.text(length);
  };
  const loading = reader.load(length);
  if (loading !== undefined) return loading.then(take);
  take();
  return undefined;
}

/** A small message as a whole. */
export async function readMessage<M extends MessageName>(
  reader: FileReader,
  name: M,
  frame: Pick<Frame, 'contentAt' | 'end'>,
  limitBytes: number,
): Promise<Messages[M]> {
  const length = frame.end - frame.contentAt;
  if (length > limitBytes) throw damagedAt(frame.contentAt, `a ${name} of ${length} bytes`);
  reader.position = frame.contentAt;
  const bytes = await reader.bytes(length);
  try {
    return readPart(name, bytes);
  } catch (cause) {
    throw damagedAt(frame.contentAt, `a ${name} that cannot be read`, cause);
  }
}

/** `ai.onnx` and '' are one domain. */
export function standardDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}
