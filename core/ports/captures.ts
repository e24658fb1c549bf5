import type { Tensor } from '../inference/tensor.ts';

/** One prediction whose tenant consented to its being kept. */
export type Capture = {
  /** The prediction's id. */
  readonly id: string;
  readonly tenant: string;
  /** The model and version that ran, which need not be those that were asked for. */
  readonly model: string;
  readonly version: string;
  readonly atMs: number;
  /** As the graph takes them. */
  readonly inputs: readonly Tensor[];
  /** Those that were asked for. */
  readonly outputs: readonly Tensor[];
  readonly expiresAtMs: number;
};

/**
 * Captured predictions, sealed under their tenant's data key. What has expired is as if it were not there. Of a tenant and
 * model the newest are kept, within `CAPTURE_LIMITS`; the oldest go first.
 */
export interface Captures {
  /** Durable when it resolves. One that is there already stays as it is. */
  write(capture: Capture): Promise<void>;
  /**
   * The newest of a model first, of all tenants or of one; those that cannot be opened (erased since) are left out. Fewer
   * than `limit` if their payload would come to more than `MOST_LISTED_BYTES`.
   */
  list(model: string, limit: number, nowMs: number, tenant?: string): Promise<readonly Capture[]>;
  /** Forgets what a tenant's predictions have left until now, including what is written later of predictions made before. */
  erase(tenant: string): Promise<void>;
  /** Forgets what has expired. Returns how many. */
  purge(nowMs: number): Promise<number>;
}
