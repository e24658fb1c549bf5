import { Failure } from '../../failure.ts';
import type { Manifest } from '../../models/manifest.ts';
import type { Signature } from '../../models/signature.ts';
import { labelKindOf } from '../row-labels.ts';

/** True of a label that the model may answer. */
export type KnownLabels = (label: string) => boolean;

const WHOLE_NUMBER = /^(0|-?[1-9]\d{0,18})$/;

/**
 * Which labels a version's feedback may name: those that its manifest lists, else any whole number, or the places of its classes. So what is counted by name was
 * written by who made the model and never by a caller.
 */
export function knownLabels(
  { feedback }: Pick<Manifest, 'feedback'>,
  signature: Pick<Signature, 'outputs'>,
): KnownLabels {
  if (feedback?.labels !== undefined) {
    const listed = new Set(feedback.labels);
    return (label) => listed.has(label);
  }
  const kind = labelKindOf(signature);
  if (kind === 'numbers') return (label) => WHOLE_NUMBER.test(label);
  if (typeof kind !== 'object') return () => false;
  return (label) => WHOLE_NUMBER.test(label) && Number(label) >= 0 && Number(label) < kind.classes;
}

/** What of the manifest's `feedback` does not fit the graph: `<place>: <what>`. */
export function feedbackProblems(
  { feedback }: Pick<Manifest, 'feedback'>,
  signature: Pick<Signature, 'outputs'>,
): string[] {
  if (feedback === undefined) return [];
  const kind = labelKindOf(signature);
  if (kind === undefined) return ['feedback: the model has no outputs that say a label; see docs/manifest.md'];
  if (feedback.labels === undefined)
    return kind === 'texts' ? ['feedback.labels: needed, as the model answers labels that are strings'] : [];
  if (kind !== 'texts' && !feedback.labels.every((label) => WHOLE_NUMBER.test(label)))
    return ['feedback.labels: the model answers whole numbers'];
  if (typeof kind !== 'object') return [];
  const beyond = feedback.labels.some((label) => Number(label) < 0 || Number(label) >= kind.classes);
  return beyond ? [`feedback.labels: the model answers 0 to ${kind.classes - 1}`] : [];
}

/**
 * The labels of so many rows as they are compared: numbers as texts. `request-invalid` unless there is one for each row, `label-unknown` if
 * the model has no such label.
 */
export function readLabels(
  label: string | number | readonly (string | number)[],
  rows: number,
  isKnown: KnownLabels,
): readonly string[] {
  const labels = (typeof label === 'object' ? label : [label]).map(String);
  if (labels.length !== rows)
    throw new Failure('request-invalid', { field: 'label', detail: `${rows} labels are needed, one a row`, rows });
  const unknown = labels.findIndex((each) => !isKnown(each));
  // Which one it is may be a caller's text: it is named by its place.
  if (unknown >= 0) throw new Failure('label-unknown', { field: 'label', row: unknown });
  return labels;
}
