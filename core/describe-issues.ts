import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** Everything that is wrong with something that was read: `<place>: <what>`; `whole` is the place of what is about all of it. */
export function describeIssues({ issues }: z.ZodError, whole: string): readonly string[] {
  return issues.flatMap((issue) => describeIssue(issue, [], whole));
}

/** Of something that may be this or that: what is wrong with the one that it is nearest to. */
function describeIssue(issue: Issue, within: readonly PropertyKey[], whole: string): string[] {
  const path = [...within, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = issue.errors.reduce((best, errors) => (errors.length < best.length ? errors : best));
    return nearest.flatMap((nested) => describeIssue(nested, path, whole));
  }
  // One place a key, so that each can be found.
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[...path, key].map(String).join('.')}: there is no such key`);
  }
  return [`${path.length === 0 ? whole : path.map(String).join('.')}: ${issue.message}`];
}
