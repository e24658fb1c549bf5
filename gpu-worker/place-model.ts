import type { Slot } from './slot.ts';
import type { ServedVersion } from './version-shelf.ts';

/** A runner without any model, mapped libraries and the TypeScript compiler included (measured 84 MB). */
const EMPTY_RUNNER_BYTES = 85_000_000;

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

/** Resident memory of all runners once the model is loaded in `slot`, and of the busy ones alone besides it. */
export function bytesWith(slots: readonly Slot[], slot: Slot, version: ServedVersion, busyOnly = false): number {
  let bytes = version.record.validation.memoryBytes;
  for (const other of slots) {
    if (other === slot) bytes += busyOnly ? EMPTY_RUNNER_BYTES : Math.max(residentBytes(other), EMPTY_RUNNER_BYTES);
    else if (other.busy || !busyOnly) bytes += residentBytes(other);
  }
  return bytes;
}

function residentBytes(slot: Slot): number {
  return slot.runner === undefined ? 0 : Math.max(slot.runner.residentBytes(), EMPTY_RUNNER_BYTES);
}

/** Of the idle slots and `target` the one that holds the model used longest ago; undefined if none holds any. */
export function leastRecentlyUsed(slots: readonly Slot[], target: Slot): Slot | undefined {
  let oldest: Slot | undefined;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const slot of slots) {
    if (slot.busy && slot !== target) continue;
    for (const { lastUsedMs } of slot.loaded.values()) {
      if (lastUsedMs < oldestMs) {
        oldestMs = lastUsedMs;
        oldest = slot;
      }
    }
  }
  return oldest;
}

/** When a slot's models were used last, or the slot itself if it has none. */
export function lastUseOf(slot: Slot): number {
  let latestMs = slot.idleSinceMs;
  for (const { lastUsedMs } of slot.loaded.values()) latestMs = Math.max(latestMs, lastUsedMs);
  return latestMs;
}

export function hasAny({ loaded }: Slot, versions: ReadonlySet<string>): boolean {
  for (const version of loaded.keys()) if (versions.has(version)) return true;
  return false;
}

/**
 * The runner to end so that waiting work of a version can run: one that has nothing that is kept, else one whose kept versions another has too, else any; of
 * those the one that holds the model used longest ago. Not a runner that has this very version: it is wanted in one more, not in another.
 */
export function victimFor(
  slots: readonly Slot[],
  target: Slot,
  version: ServedVersion,
  kept: ReadonlySet<string>,
): Slot | undefined {
  const others = slots.filter((slot) => !slot.loaded.has(version.key));
  const isLastOfKept = (slot: Slot) =>
    [...slot.loaded.keys()].some(
      (key) => kept.has(key) && !slots.some((each) => each !== slot && each.loaded.has(key)),
    );
  return (
    leastRecentlyUsed(
      others.filter((slot) => !hasAny(slot, kept)),
      target,
    ) ??
    leastRecentlyUsed(
      others.filter((slot) => !isLastOfKept(slot)),
      target,
    ) ??
    leastRecentlyUsed(others, target)
  );
}
