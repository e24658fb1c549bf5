import type { ModelRunner } from '../adapters/onnx/model-runner.ts';

export type Loaded = {
  lastUsedMs: number;
  /** The first run after loading is slower than all others and says nothing about cost. */
  warm: boolean;
};

/** A place for one runner process. */
export type Slot = {
  runner: ModelRunner | undefined;
  /** When that process was started. */
  startedMs: number;
  /** By `model@version`; empty without a runner. */
  readonly loaded: Map<string, Loaded>;
  busy: boolean;
  /** Since when it is, while it is. */
  busySinceMs: number;
  idleSinceMs: number;
};

export function emptySlot(nowMs: number): Slot {
  return {
    runner: undefined,
    startedMs: nowMs,
    loaded: new Map(),
    busy: false,
    busySinceMs: nowMs,
    idleSinceMs: nowMs,
  };
}

/** Ends the slot's process; a model that is evicted goes this way too, for a released session keeps much of its memory. */
export function clearSlot(slot: Slot): void {
  slot.runner?.kill();
  slot.runner = undefined;
  slot.loaded.clear();
}
