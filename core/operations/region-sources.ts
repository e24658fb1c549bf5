import { createCostSource } from '../cost/measure-cost.ts';
import type { Platform } from '../ports/platform.ts';
import { measureDrift } from '../quality/drift/measure-drift.ts';
import { createAuditMeasure } from './measure-audit.ts';
import { measureDeadLetters } from './measure-dead-letters.ts';
import { measureKeys } from './measure-keys.ts';
import type { MeasureSource, WatchHost } from './watch.ts';

export type SourcesHost = WatchHost &
  Pick<Platform, 'audits' | 'budgets' | 'deadLetters' | 'meters' | 'qualityReports'>;

/** What is measured of every region, beside its traffic and its pools. Made once a process: some remember what they saw. */
export function regionSources(host: SourcesHost): readonly MeasureSource<SourcesHost>[] {
  return [measureKeys, measureDeadLetters, measureDrift, createCostSource(host), createAuditMeasure()];
}
