import type { QualityJson } from '../core/api/quality-json.ts';
import { printable } from './printable.ts';
import { paint, renderTable } from './table.ts';

const COLOURS = { ok: 'green', drifting: 'yellow', drifted: 'red', 'too-few': 'dim', 'no-reference': 'dim' } as const;
const SAYS = {
  ok: 'like its reference',
  drifting: 'unlike its reference in the last window, not yet in enough in a row',
  drifted: 'has drifted from its reference',
  'too-few': 'too few rows to say, of the window or of the reference',
  'no-reference': 'there is nothing to compare with',
} as const;
/** Of many labels those that have moved most. */
const MOST_LABELS = 10;

/** What is known of a version beside its reference, for people. */
export function renderQuality(quality: QualityJson): string {
  const { model, version, status } = quality;
  return [
    `${paint('bold', `${model} version ${version}`)}: ${paint(COLOURS[status], status)}, ${SAYS[status]}`,
    `  reference: ${referenceOf(quality)}`,
    `  window:    ${windowOf(quality)}`,
    ...(quality.checks.length === 0 ? [] : [renderChecks(quality)]),
    ...(quality.labels.length === 0 ? [] : [renderLabels(quality)]),
    ...(quality.data_quality.length === 0 ? [] : [renderInputs(quality)]),
    ...(quality.missing_classes.length === 0
      ? []
      : [paint('red', `predicted no more: ${quality.missing_classes.map(printable).join(', ')}`)]),
  ].join('\n');
}

function referenceOf({ reference }: QualityJson): string {
  if (reference === null) return 'none; push a reference.json, or choose a window with --reference window';
  const { kind, from, until, rows } = reference;
  if (kind === 'validation') return `what validation saw of golden pairs, ${rows} rows`;
  return kind === 'training' ? `reference.json of the push, ${rows} rows` : `${from} to ${until}, ${rows} rows`;
}

function windowOf({ window, rows }: QualityJson): string {
  return window === null
    ? 'none has ended yet; --now shows the one that is open'
    : `${window.from} to ${window.until}, ${rows} rows`;
}

function renderChecks({ checks }: QualityJson): string {
  const rows = checks.map((check) => [
    printable(check.name),
    check.method,
    figure(check.value),
    figure(check.threshold),
    check.samples,
    verdictOf(check),
    `${check.windows_in_a_row} of ${check.alarms_after}`,
  ]);
  return renderTable(['check', 'method', 'distance', 'threshold', 'rows', 'verdict', 'windows in a row'], rows);
}

function verdictOf({ judged, drifted }: QualityJson['checks'][number]): string {
  if (!judged) return paint('dim', 'too few rows');
  return drifted ? paint('red', 'drifted') : paint('green', 'ok');
}

function renderLabels({ labels }: QualityJson): string {
  const moved = (each: QualityJson['labels'][number]) => Math.abs((each.share ?? 0) - (each.reference_share ?? 0));
  const shown = [...labels].sort((a, b) => moved(b) - moved(a)).slice(0, MOST_LABELS);
  const rows = shown.map(({ label, reference_share: reference, share }) => [
    printable(label),
    percent(reference),
    percent(share),
  ]);
  const title = labels.length > MOST_LABELS ? `label (${MOST_LABELS} of ${labels.length}, most moved)` : 'label';
  return renderTable([title, 'reference', 'window'], rows);
}

function renderInputs({ data_quality: inputs }: QualityJson): string {
  const rows = inputs.map((each) => [
    printable(each.input),
    each.rows,
    beside(each.missing_share, each.reference?.missing_share),
    beside(each.too_long_share, each.reference?.too_long_share),
    each.class_shift === null ? '-' : figure(each.class_shift),
  ]);
  return renderTable(['input', 'rows looked at', 'missing', 'too long', 'character shift'], rows);
}

function beside(share: number | null, reference: number | null | undefined): string {
  return reference === null || reference === undefined ? percent(share) : `${percent(share)} (${percent(reference)})`;
}

function percent(share: number | null): string {
  return share === null ? '-' : `${Number((share * 100).toPrecision(3))} %`;
}

function figure(value: number): string {
  return value.toFixed(3);
}
