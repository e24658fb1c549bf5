import type { GoldenPair } from '../models/golden.ts';
import type { Manifest } from '../models/manifest.ts';
import type { Signature } from '../models/signature.ts';
import type { Validation } from '../models/version.ts';

/**
 * Loads a model in a process that is thrown away, reads its signature, runs the golden pairs and measures it.
 * Throws `model-invalid`, `golden-mismatch`, `validation-timeout`; whatever the file does, the caller survives.
 */
export interface ModelChecker {
  check(
    modelPath: string,
    manifest: Manifest,
    golden: readonly GoldenPair[],
  ): Promise<{ signature: Signature; validation: Validation }>;
}
