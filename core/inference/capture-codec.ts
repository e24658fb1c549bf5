import { Failure } from '../failure.ts';
import type { Capture } from '../ports/captures.ts';
import { decodeTensors, encodeTensors } from './tensor-codec.ts';

/** Before the tensors: u32 bytes of the inputs, little-endian, 4 zero bytes. */
const HEADER_BYTES = 8;

type CapturedTensors = Pick<Capture, 'inputs' | 'outputs'>;

/** The tensors of a capture at rest, to be read by `decodeCapture`. */
export function encodeCapture({ inputs, outputs }: CapturedTensors): Uint8Array {
  const [first, second] = [encodeTensors(inputs), encodeTensors(outputs)];
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(first.length);
  return Buffer.concat([header, first, second]);
}

/** Throws `record-damaged`. */
export function decodeCapture(bytes: Uint8Array): CapturedTensors {
  const outputsAt =
    bytes.length < HEADER_BYTES
      ? Number.POSITIVE_INFINITY
      : HEADER_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (outputsAt > bytes.length) throw new Failure('record-damaged', { detail: 'a capture ends early' });
  return {
    inputs: decodeTensors(bytes.subarray(HEADER_BYTES, outputsAt)),
    outputs: decodeTensors(bytes.subarray(outputsAt)),
  };
}

/** What a capture is sealed for, beside its tenant: what was sealed as one opens as no other. */
export function captureContext({ id, model, version }: Pick<Capture, 'id' | 'model' | 'version'>): string {
  return `capture/${id}/${model}@${version}`;
}
