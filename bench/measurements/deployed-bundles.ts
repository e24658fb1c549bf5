import { type FunctionStart, measureStarts } from '../deployed/function-starts.ts';
import { type Measurement, type Row, spread, withDigits } from '../measurement.ts';
import { median } from '../statistics.ts';

const MB = 1_000_000;
const INFER_BUDGET_BYTES = 1.5 * MB;

export const bundles: Measurement = {
  name: 'bundles',
  summary: 'size of each deployed function, and from the start of its process to where it takes its first invocation',
  byDefault: true,
  async run(bench) {
    const starts = await measureStarts(bench.quick ? 1 : 5);
    const bare = starts.find(({ name }) => name === 'nothing')!;
    const infer = starts.find(({ name }) => name === 'infer')!;
    return [inferRow(infer, bare), tableRow(starts)];
  },
};

function inferRow({ codeBytes, initMs }: FunctionStart, bare: FunctionStart): Row {
  return {
    what: 'bundle of infer',
    budget: `≤ ${INFER_BUDGET_BYTES / MB} MB`,
    measured: `${withDigits(codeBytes / MB, 2)} MB; init ${spread(initMs, median(initMs), 0)} ms, of which Node and the runtime ${withDigits(median(bare.initMs), 0)} ms`,
    met: codeBytes <= INFER_BUDGET_BYTES,
    figures: { codeBytes, initMs, bareInitMs: bare.initMs },
  };
}

function tableRow(starts: readonly FunctionStart[]): Row {
  return {
    what: 'bundles of all functions',
    measured: 'below; "nothing" is an empty handler',
    figures: { functions: starts },
    table: {
      head: ['function', 'code, MB', 'with its libraries, MB', 'init, ms'],
      rows: starts.map(({ name, codeBytes, allBytes, initMs }) => [
        name,
        withDigits(codeBytes / MB, 2),
        withDigits(allBytes / MB, 2),
        spread(initMs, median(initMs), 0),
      ]),
    },
  };
}
