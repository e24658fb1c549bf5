import type { JudgedWindow, QualityState, QualitySummary } from '../quality/drift/quality-record.ts';
import type { Reference } from '../quality/drift/reference.ts';

/** How long a judged window is kept, from its end on. */
export const QUALITY_WINDOW_KEPT_DAYS = 90;
/** The state of a version that nobody has looked at for so long is forgotten. */
export const QUALITY_STATE_KEPT_DAYS = 400;

/**
 * What versions were found to be like beside their references. Holds label text, and nothing of tenants. Every write is durable when its promise
 * resolves; reads are strong. What cannot be read throws `record-damaged`, but is left out of lists and logged.
 */
export interface QualityReports {
  readState(model: string, version: string): Promise<QualityState | undefined>;
  /**
   * Replaces the state with epoch `state.epoch - 1` (1: there is none), and adds the windows that were judged with it, all or nothing; at most 8. False,
   * and nothing changes, if another epoch is stored. A window that ends when one of the same version does replaces that.
   */
  writeState(state: QualityState, judged: readonly JudgedWindow[]): Promise<boolean>;
  /** Of all versions with a state, in no order. */
  listSummaries(): Promise<readonly QualitySummary[]>;
  /** The newest first; none that ended before it would be forgotten. */
  listWindows(model: string, version: string, limit: number): Promise<readonly JudgedWindow[]>;
  readReference(model: string, version: string): Promise<Reference | undefined>;
  /** Replaces it, whatever is there. It is kept as long as the version. */
  writeReference(model: string, version: string, reference: Reference): Promise<void>;
  /** Forgets what has expired. Returns how many records. */
  purge(nowMs: number): Promise<number>;
}
