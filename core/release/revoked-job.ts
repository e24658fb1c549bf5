import type { Job } from '../inference/job.ts';
import type { ModelVersion } from '../models/version.ts';
import type { ReleaseRoute } from './release.ts';

/** What a worker does with a job before it computes it. */
export type JobFate =
  | { readonly kind: 'run' }
  /** Another version in its place, at no cost to the caller; what it pays for is what ran. */
  | { readonly kind: 'run-on'; readonly version: string }
  /** Nothing can answer it as it is: it ends with `version-unavailable`, which a caller may retry. */
  | { readonly kind: 'drop'; readonly why: string };

type Admitted = Pick<Job, 'version' | 'versionNamed'>;
type Tokenized = Pick<ModelVersion, 'version' | 'tokenizerDigest'>;

/**
 * What becomes of an admitted job once its version may have been revoked, by the release record as the worker read it at most a second ago. A caller who
 * named the version gets that one. Otherwise jobs of a revoked version run on the one that serves, unless their texts were made into
 * ids by another tokenizer, for which its ids mean something else. `admitted` and `serving` are those versions' records; undefined:
 * not to be found.
 */
export function fateOfJob(
  job: Admitted,
  route: Pick<ReleaseRoute, 'revoked' | 'serving'> | undefined,
  admitted: Tokenized | undefined,
  serving: Tokenized | undefined,
): JobFate {
  if (route?.revoked === undefined || route.revoked !== job.version || job.versionNamed) return { kind: 'run' };
  if (serving === undefined || serving.version !== route.serving)
    return { kind: 'drop', why: 'the version that serves cannot be read' };
  if (admitted === undefined || admitted.tokenizerDigest !== serving.tokenizerDigest)
    return { kind: 'drop', why: 'the version that serves reads other tokens' };
  return { kind: 'run-on', version: serving.version };
}
