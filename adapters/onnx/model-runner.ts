import type { Tensor } from '../../core/inference/tensor.ts';
import type { Signature } from '../../core/models/signature.ts';
import type { SandboxRun } from '../../core/ports/sandbox.ts';

export type LoadAnswer =
  | {
      readonly kind: 'loaded';
      readonly signature: Signature;
      readonly loadMs: number;
      /** Resident memory of the process before and after, pages that it shares with others included. */
      readonly beforeBytes: number;
      readonly residentBytes: number;
    }
  /** `reason` is onnxruntime's and may quote the model, never a payload. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'crashed' }
  | { readonly kind: 'timed-out' };

/** As a sandbox answers: `reason` may quote input values, so it is never logged. */
export type RunAnswer = SandboxRun;

/**
 * A process that runs models and may be killed. One call is in flight at a time; after `crashed` or `timed-out` the
 * process is gone and every further call answers `crashed`.
 */
export interface ModelRunner {
  /** Loads a file under a handle of the caller's choice. */
  load(handle: number, path: string, deadlineMs: number): Promise<LoadAnswer>;
  /** Runs one batch on a loaded model. */
  run(handle: number, inputs: readonly Tensor[], deadlineMs: number): Promise<RunAnswer>;
  /** Kills the process if its call is past its deadline. The owner asks this every few milliseconds. */
  killIfOverdue(nowMs: number): void;
  /** Resident memory as last measured, pages that it shares with others included; 0 before the first load. */
  residentBytes(): number;
  /** The most that was resident since the first load, as last measured. */
  peakBytes(): number;
  alive(): boolean;
  /** Ends the process at once; a call in flight answers `crashed`. */
  kill(): void;
  /** Of the process, where it is one. */
  readonly pid?: number | undefined;
  /** Resolves when the process has ended, however that came about. */
  readonly ended: Promise<void>;
}
