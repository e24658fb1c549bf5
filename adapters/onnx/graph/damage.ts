import { Failure } from '../../../core/failure.ts';

/** Names of a model's parts come from whoever wrote the file: without control characters, and not endless. */
export function printable(text: string, limit = 80): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return clean.length <= limit ? clean : `${clean.slice(0, limit)}…`;
}

/** `one tensor`, `2 tensors`. */
export function counted(count: number, noun: string): string {
  return `${count === 1 ? 'one' : count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** 1,234 bytes as people say it: 1.2 kB. */
export function sized(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return counted(bytes, 'byte');
}

export function damagedAt(position: number, what: string, cause?: unknown): Failure {
  return new Failure(
    'model-invalid',
    {
      detail: `the file is no ONNX model, or damaged: ${what}, at byte ${position.toLocaleString('en-US')}`,
      advice:
        'Compare its size and checksum with the original, export or copy it again, and try onnx.checker.check_model on it.',
    },
    { cause },
  );
}

export function cutShort(missingBytes: number, sizeBytes: number): Failure {
  return new Failure('model-invalid', {
    detail: `the file is cut short: it has ${sized(sizeBytes)}, and at least ${sized(missingBytes)} are missing at its end`,
    advice: 'The export or the copy ended early: compare the sizes and copy it again.',
  });
}
