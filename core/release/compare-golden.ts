import { Failure } from '../failure.ts';
import { MOST_REPLAYED, type Replays } from '../models/replay/replay.ts';
import type { ReplayReport } from '../models/replay/report.ts';
import type { Contenders } from './check-start.ts';

/** What both versions make of the stable version's golden pairs; `report` is undefined where they could not be compared. */
export type GoldenComparison = {
  readonly report: ReplayReport | undefined;
  /** For a person. */
  readonly sentence: string;
};

/**
 * Before any traffic; takes up to 20 s. It only tells: a version that was trained again answers otherwise with good reason. Throws `model-load-failed` of a
 * candidate that cannot be loaded, `overloaded` while another comparison runs.
 */
export async function compareOnGolden(
  replays: Replays,
  { stable, candidate }: Contenders,
  asker: { readonly by: string; readonly signal: AbortSignal | undefined },
): Promise<GoldenComparison> {
  const { model, version: from } = stable;
  const to = candidate.version;
  if (stable.goldenDigest === undefined)
    return { report: undefined, sentence: `version ${from} has no golden pairs to compare by` };
  const source = 'golden' as const;
  const spec = { model, from, toModel: model, to, source, limit: MOST_REPLAYED, tenant: undefined };
  try {
    const report = await replays.run({ ...spec, askedBy: asker.by, signal: asker.signal });
    return { report, sentence: describe(report) };
  } catch (error) {
    // Stable may be what is to be replaced.
    const isOfStable = error instanceof Failure && error.code === 'model-load-failed' && error.facts.version === from;
    if (!isOfStable) throw error;
    return { report: undefined, sentence: `version ${from} cannot be loaded to be compared with` };
  }
}

function describe(report: ReplayReport): string {
  const { inputs, compared, agree, stopped, to } = report;
  const all = compared === inputs ? `${inputs}` : `the ${compared} of ${inputs} that were compared`;
  const odd = [
    ...(to.refused > 0 ? [`it refused ${to.refused}`] : []),
    ...(to.crashed > 0 ? [`it crashed on ${to.crashed}`] : []),
    ...(to.timedOut > 0 ? [`it took too long for ${to.timedOut}`] : []),
    ...(stopped === undefined ? [] : [`ended early (${stopped})`]),
  ];
  return [`answers ${agree} of ${all} golden inputs as version ${report.from.version} does`, ...odd].join('; ');
}
