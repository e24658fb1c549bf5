import { SECOND_MS } from '../../units.ts';
import type { Sample } from './check-constant.ts';
import type { Examination } from './examination.ts';
import type { Ran } from './model-under-test.ts';
import { holdsNaN } from './outputs.ts';
import type { Finding } from './report-writer.ts';
import { freeLength, hasRows, resizeRow, takeRows } from './rows.ts';

/** Long enough to call it endless: nobody can send it. */
const MOST_MS = 2 * SECOND_MS;

/**
 * What a run of no rows and rows of length 0 do. The gateway refuses an empty free dimension, so this is told and never refused.
 */
export async function checkZeroSize(
  { model, graph }: Examination,
  samples: readonly Sample[],
): Promise<{ readonly finding: Finding }> {
  const { fed } = samples[0]!;
  const tried: string[] = [];
  if (hasRows(graph)) {
    const ran = await model.run(
      fed.map((tensor) => takeRows(tensor, 0, 0)),
      MOST_MS,
    );
    tried.push(`no rows ${effectOf(ran)}`);
  }
  if (freeLength(graph, fed) !== undefined) {
    const ran = await model.run(
      resizeRow(graph, fed, () => 0),
      MOST_MS,
    );
    tried.push(`a row of length 0 ${effectOf(ran)}`);
  }
  if (tried.length === 0) {
    return { finding: { outcome: 'skipped', detail: 'every dimension is fixed: nothing can be empty' } };
  }
  return {
    finding: {
      outcome: 'passed',
      detail: `${tried.join(', ')}; the gateway refuses what is empty before it gets there`,
    },
  };
}

function effectOf(ran: Ran): string {
  switch (ran.kind) {
    case 'done':
      return holdsNaN(ran.outputs) ? 'would be answered with NaN' : 'would be answered';
    case 'refused':
      return 'would be refused cleanly';
    case 'crashed':
      return 'would end the process';
    case 'timed-out':
      return 'would run without end';
    case 'no-time':
      return 'was not tried for want of time';
  }
}
