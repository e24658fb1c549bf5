import { advance } from './advance.ts';
import type { Release } from './release.ts';
import type { Verb } from './verbs.ts';

export const VERBS = ['promote', 'promote-full', 'pause', 'resume', 'abort', 'approve', 'retry', 'undo'] as const;

/** What a verb would do now: `refused` says why nothing. */
export type ReleaseOption = { readonly verb: Verb['verb'] } & (
  | { readonly kind: 'possible'; readonly after: Release }
  | { readonly kind: 'refused'; readonly why: string }
);

/**
 * Every verb and what it would make of a release now, were it given by this person: nothing is changed. An undo is to the stable version. What a later release of
 * the model or a stable version chosen by hand says is not known here: a verb may still be refused.
 */
export function optionsOf(release: Release, by: string, nowMs: number): readonly ReleaseOption[] {
  return VERBS.map((verb) => {
    const next = advance(release, asked(verb, release, by), nowMs);
    if (next.kind === 'unchanged') return { verb, kind: 'refused', why: next.why };
    return { verb, kind: 'possible', after: next.release };
  });
}

/** Under a name that was given to no verb. */
function asked(verb: Verb['verb'], release: Release, by: string): Verb {
  const said = { kind: 'verb', id: '', by, why: '' } as const;
  if (verb === 'retry') return { ...said, verb, attempt: release.attempt };
  if (verb === 'undo') return { ...said, verb, to: release.stable };
  return { ...said, verb };
}
