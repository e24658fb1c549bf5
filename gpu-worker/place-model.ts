import type { ServedVersion } from './version-shelf.ts';
import type { Slot } from './slot.ts';

/** A runner without any model, mapped libraries included (measured 84 MB). */
const EMPTY_RUNNER_BYTES = 90_000_000;

/**
 * Which idle slot a model should be loaded in: a running process before a new one, with few models before many.
 * undefined if none is idle.
 */
export function roomiestSlot(slots: readonly Slot[]): Slot | undefined {
  let best: Slot | undefined;
  for (const slot of slots) {
    if (slot.busy) continue;
    if (best === undefined || rank(slot) < rank(best)) best = slot;
  }
  return best;
}

function rank(slot: Slot): number {
  return slot.runner === undefined ? Number.MAX_SAFE_INTEGER : slot.loaded.size;
}

/** Resident memory of all runners once the model is loaded in `slot`. */
export function bytesWith(slots: readonly Slot[], slot: Slot, version: ServedVersion): number {
  let bytes = version.record.validation.memoryBytes;
  for (const other of slots) bytes += slotBytes(other, slot);
  return bytes;
}

function slotBytes(slot: Slot, target: Slot): number {
  if (slot.runner === undefined) return slot === target ? EMPTY_RUNNER_BYTES : 0;
  return Math.max(slot.runner.residentBytes(), EMPTY_RUNNER_BYTES);
}

/** The idle slot that holds the model which was used longest ago; undefined if no idle slot holds any. */
export function leastRecentlyUsed(slots: readonly Slot[]): Slot | undefined {
  let oldest: Slot | undefined;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const slot of slots) {
    if (slot.busy) continue;
    for (const { lastUsedMs } of slot.loaded.values()) {
      if (lastUsedMs < oldestMs) {
        oldestMs = lastUsedMs;
        oldest = slot;
      }
    }
  }
  return oldest;
}
