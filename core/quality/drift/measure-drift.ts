import type { Measure } from '../../operations/metric.ts';
import type { Platform } from '../../ports/platform.ts';
import { DAY_MS } from '../../units.ts';

/** What nobody has called for so long is measured no more. */
const MEASURED_FOR_MS = 2 * DAY_MS;

/** What the last look at each version found: distances by check, whether it has drifted, and how many classes it misses. */
export async function measureDrift(
  { qualityReports }: Pick<Platform, 'qualityReports'>,
  nowMs: number,
): Promise<Measure[]> {
  const summaries = await qualityReports.listSummaries();
  return summaries
    .filter(({ checkedAtMs }) => nowMs - checkedAtMs < MEASURED_FOR_MS)
    .flatMap(({ model, version, isDrifted, missingClasses, checks }) => {
      const of = { model, version };
      return [
        ...checks.map(({ name, value }): Measure => ({ metric: 'drift_value', of: { ...of, check: name }, value })),
        { metric: 'drift_alarming', of, value: isDrifted ? 1 : 0 },
        { metric: 'missing_classes', of, value: missingClasses },
      ];
    });
}
