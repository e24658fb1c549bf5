import type { LabelCounts } from '../quality/label-counts.ts';

/** Shares of a version's answers, 0 to 1; undefined where it gave none. `label` is undefined of all the others together. */
export type ComparedLabel = {
  readonly label: string | undefined;
  readonly stable: number | undefined;
  readonly candidate: number | undefined;
};

/** As many as people compare at a glance. */
const MOST_LABELS = 12;

/** The labels that are most frequent on either version, those first, then all others together if there are any. */
export function compareLabels(stable: LabelCounts, candidate: LabelCounts): ComparedLabel[] {
  const [before, after] = [stable.total, candidate.total];
  if (before + after === 0) return [];
  const share = (count: number, total: number) => (total === 0 ? undefined : count / total);
  const names = new Set([...stable.top(MOST_LABELS).top, ...candidate.top(MOST_LABELS).top].map(([label]) => label));
  const weightOf = (label: string) =>
    (share(stable.get(label), before) ?? 0) + (share(candidate.get(label), after) ?? 0);
  const shown = [...names].sort((a, b) => weightOf(b) - weightOf(a) || (a < b ? -1 : 1)).slice(0, MOST_LABELS);
  const labels: ComparedLabel[] = shown.map((label) => ({
    label,
    stable: share(stable.get(label), before),
    candidate: share(candidate.get(label), after),
  }));
  const rest = (counts: LabelCounts, total: number) => total - shown.reduce((sum, label) => sum + counts.get(label), 0);
  const [restBefore, restAfter] = [rest(stable, before), rest(candidate, after)];
  if (restBefore + restAfter === 0) return labels;
  return [...labels, { label: undefined, stable: share(restBefore, before), candidate: share(restAfter, after) }];
}
