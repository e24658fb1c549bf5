import type { Tensor } from '../inference/tensor.ts';
import type { Signature } from '../models/signature.ts';

/** How long and how large a model may become while it is looked at. */
export type SandboxLimits = { readonly memoryBytes: number; readonly loadMs: number };

export type SandboxLoad =
  | { readonly kind: 'loaded'; readonly model: SandboxedModel }
  /** `reason` is the runtime's and may quote the model. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'crashed' }
  | { readonly kind: 'timed-out' };

export type SandboxRun =
  | { readonly kind: 'done'; readonly outputs: readonly Tensor[]; readonly computeMs: number }
  /** `reason` may quote input values: shown to the owner of the inputs and to nobody else. */
  | { readonly kind: 'refused'; readonly reason: string; readonly computeMs: number }
  | { readonly kind: 'crashed'; readonly computeMs: number }
  | { readonly kind: 'timed-out'; readonly computeMs: number };

/** A model in a process of its own. After `crashed` or `timed-out` that process is gone, and every run answers `crashed`. */
export interface SandboxedModel {
  readonly signature: Signature;
  readonly loadMs: number;
  run(inputs: readonly Tensor[], limitMs: number): Promise<SandboxRun>;
  /** The most that loading and running have added to an empty process so far. */
  peakBytes(): number;
  /** Kills the process; harmless if it has ended. */
  close(): Promise<void>;
}

/** Runs models that nobody trusts yet in processes that are thrown away: whatever a file does, the caller survives. */
export interface Sandbox {
  /** Loads a file that lies alone in a folder: nothing beside it is within reach. */
  load(modelPath: string, limits: SandboxLimits): Promise<SandboxLoad>;
}
