import { vi } from 'vitest';

/**
 * `vi.waitFor` and `vi.waitUntil` end when what they wait for is there, on a busy machine later: they give up after this
 * unless a test says when, not after the second that is their default.
 */
const PATIENCE_MS = 15_000;

const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));

function patient<T extends { readonly timeout?: number }>(options: number | T | undefined) {
  return typeof options === 'number' ? options : { timeout: PATIENCE_MS, ...options };
}
