import { describe, expect, test } from 'vitest';
import { describeProblem } from '../../bin/client.ts';
import { openLive } from '../../bin/live.ts';
import { byteSize, checkLines, duration, renderReport } from '../../bin/report.ts';
import { reportToJson } from '../../core/api/validation-json.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import type { Validation } from '../../core/models/report.ts';
import { aValidation } from '../support/jobs.ts';

/** What a stream was given, as a terminal of so many columns or as a file. */
function streamOf(terminal: { readonly columns: number } | undefined): {
  readonly stream: NodeJS.WriteStream;
  readonly written: () => string;
} {
  let written = '';
  const write = (text: string) => {
    written += text;
    return true;
  };
  const stream = { isTTY: terminal !== undefined, columns: terminal?.columns, write };
  return { stream: stream as unknown as NodeJS.WriteStream, written: () => written };
}

/** What is to be seen on a terminal in the end: each line after its last return. */
function seen(written: string): string[] {
  return written.split('\n').map((line) => line.split('\r').at(-1)!.replace('\u001b[K', ''));
}

describe('what happens while a command works', () => {
  test('is one line that changes and lines that stay, on a terminal', () => {
    const { stream, written } = streamOf({ columns: 30 });
    const live = openLive(stream);
    live.doing('loading');
    live.line('✓ loads');
    live.doing('comparing a great many golden pairs with each other');
    expect(seen(written()).at(-1)!.length).toBeLessThanOrEqual(30);
    live.doing('measuring');
    expect(seen(written())).toEqual(['✓ loads', '… measuring']);
    live.end();
    expect(seen(written())).toEqual(['✓ loads', '']);
  });

  test('is lines alone elsewhere', () => {
    const { stream, written } = streamOf(undefined);
    const live = openLive(stream);
    live.doing('loading');
    live.line('✓ loads');
    live.doing('measuring');
    live.end();
    expect(written()).toBe('✓ loads\n');
  });
});

describe('a refusal', () => {
  test('names what its advice refers to', () => {
    const problem = {
      type: 'urn:sluice:failure:element-invalid',
      title: 'Wrong element',
      status: 400,
      detail: 'Wrong element',
      instance: '/v2/models/m/infer',
      code: 'element-invalid',
      request_id: 'req_1',
      retryable: false,
      advice: 'Correct the element at `index`.',
      field: 'inputs[0].data',
      index: 3,
    };
    expect(describeProblem(problem, 400).split('\n')).toEqual([
      'Wrong element (400, element-invalid)',
      '  field: inputs[0].data, index: 3',
      '  Correct the element at `index`.',
    ]);
  });
});

describe('names that a pushed file chose', () => {
  test('give a terminal no orders', () => {
    const order = '\u001b]0;owned\u0007';
    const lines = [
      ...checkLines({ check: 'signature', outcome: 'warning', detail: `y${order}`, advice: order, took_ms: 1 }),
      describeProblem({ title: 'Refused', detail: order, problems: [order], advice: order }),
    ];
    for (const line of lines) expect(line.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('a check', () => {
  test('is told with its mark, its time, and what to do below it', () => {
    const base = { check: 'batch-mates', detail: 'they differ', took_ms: 1234 } as const;
    expect(checkLines({ ...base, outcome: 'passed' })).toEqual(['✓ batch-mates      1.2 s  they differ']);
    const [line, advice] = checkLines({ ...base, outcome: 'warning', advice: 'look again' });
    expect(line!.startsWith('! batch-mates')).toBe(true);
    expect(advice!.indexOf('look again')).toBe(line!.indexOf('they differ'));
    const marks = (['repaired', 'refused', 'skipped'] as const).map(
      (outcome) => checkLines({ ...base, outcome })[0]![0],
    );
    expect(marks).toEqual(['!', '✗', '-']);
  });
});

describe('a report', () => {
  const report = (changes: Partial<Validation> = {}, manifest: object = {}) =>
    renderReport(reportToJson({ ...aValidation(), ...changes }), manifestSchema.parse({ name: 'm', ...manifest }));
  const lineOf = (text: string, label: string) => text.split('\n').find((line) => line.trim().startsWith(label));

  test('says what is in force: the manifest where it has a word, else what was measured', () => {
    expect(lineOf(report(), 'batch policy')).toContain('at most 64 rows, 1,024 padded elements, 15 ms a run');
    const said = lineOf(report({}, { batching: { maxRows: 8, maxBatchMs: 3 } }), 'batch policy');
    expect(said).toContain('at most 8 rows (manifest), 1,024 padded elements, 3 ms a run (manifest)');
    const alone = { batchMates: { verdict: 'never-batched', largestDifference: 0 } } as const;
    expect(lineOf(report(alone), 'batch policy')).toContain('a run of its own');
  });

  test('says whether tenants share runs, and by how much they would change each other', () => {
    expect(lineOf(report(), 'batch-mates')).toContain('independent');
    const dependent = { batchMates: { verdict: 'mate-dependent', largestDifference: 0.00312 } } as const;
    expect(lineOf(report(dependent), 'batch-mates')).toMatch(/by up to 0\.0031\): only requests of one tenant/);
  });

  test('has a bar for each measured batch, the longest for the best', () => {
    const speed = [
      { rows: 1, length: 32, runMs: 2 },
      { rows: 8, length: 32, runMs: 4 },
      { rows: 1, length: 128, runMs: 8 },
    ];
    const lines = report({ speed }).split('\n').slice(-3);
    const bars = lines.map((line) => line.match(/█+/)?.[0].length ?? 0);
    expect(lines[1]).toMatch(/32\s+8\s+4 ms\s+2,000/);
    expect(bars[1]).toBe(24);
    expect(bars[0]).toBe(6);
    expect(bars[2]).toBe(Math.round((24 * 125) / 2000));
  });

  test('writes small costs out and counts what was found', () => {
    const text = report({
      usdPerThousand: 0.000000249,
      repairs: ['a ZipMap was cut off'],
      checks: [
        { check: 'file', outcome: 'repaired', detail: '', tookMs: 1 },
        { check: 'loads', outcome: 'passed', detail: '', tookMs: 1 },
        { check: 'golden', outcome: 'passed', detail: '', tookMs: 1 },
      ],
    });
    expect(lineOf(text, 'cost')).toContain('$0.00000025 per thousand rows');
    expect(lineOf(text, 'repairs')).toContain('a ZipMap was cut off');
    expect(lineOf(text, 'checks')).toContain('2 passed, 1 repaired');
  });

  test('has sizes and times that can be read at a glance', () => {
    expect([0.0432, 9.99, 10.4, 999, 1500].map(duration)).toEqual(['0.043 ms', '10 ms', '10 ms', '999 ms', '1.5 s']);
    expect([100, 86_345, 1_500_000, 94_000_000].map(byteSize)).toEqual(['0.1 KiB', '84 KiB', '1.4 MiB', '90 MiB']);
  });
});
