import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import { createGraphs } from '../../adapters/onnx/graphs.ts';
import { createSandbox } from '../../adapters/onnx/sandbox.ts';
import { Failure, type FailureCode } from '../../core/failure.ts';
import { parseManifest } from '../../core/models/check-manifest.ts';
import { parseGolden } from '../../core/models/parse-golden.ts';
import type { Check } from '../../core/models/report.ts';
import { validateModel } from '../../core/models/validate.ts';
import { MIB } from '../../core/units.ts';
import { spawnRunner } from '../../gpu-worker/runner-process.ts';
import { THIRD_PARTY_MODELS, thirdPartyFolder } from '../../models/third-party.ts';
import {
  constantAnswer,
  crashOnCue,
  crashOnMinusOne,
  endlessLoop,
  idLookup,
  type ModelFiles,
  slowModel,
} from '../support/bad-models.ts';
import { echoAll, echoText } from '../support/echo-models.ts';
import {
  centredOnRun,
  countingRows,
  crashOnEmptyText,
  hungry,
  quantizedByRun,
  spreadingNaN,
} from '../support/mixing-models.ts';
import { trialModel } from '../support/trial-model.ts';

const SHARED_MODELS = join(import.meta.dirname, '..', '..', '..', 'shared', 'models');
const clock = new SystemClock();
const folder = mkdtempSync(join(tmpdir(), 'sluice-validation-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sandbox = createSandbox(clock, ({ memoryBytes }) =>
  spawnRunner(
    { provider: 'cpu', intraOpThreads: 1, environment: {}, memoryLimitBytes: memoryBytes, thorough: true },
    clock,
  ),
);
const graphs = createGraphs();

async function validate(files: ModelFiles, manifestChanges: object = {}) {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, files.model);
  const { pairs } = await parseGolden(bytesOf(files.golden));
  const manifest = parseManifest({ ...files.manifest, ...manifestChanges });
  const subject = { path, manifest, golden: pairs, usdPerComputeHour: 0.05 };
  let checks: readonly Check[] = [];
  try {
    const { validation } = await validateModel({ sandbox, graphs, clock }, subject, (found) => {
      checks = found;
    });
    return { validation, checks: validation.checks, failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { validation: undefined, checks, failure: error };
  }
}

async function* bytesOf(text: string): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** Refused with this code in this check, the last one that is told of. */
async function expectRefused(files: ModelFiles, code: FailureCode, check: Check['check'], manifest = {}) {
  const { failure, checks } = await validate(files, manifest);
  expect(failure?.code).toBe(code);
  expect(checks.at(-1)).toMatchObject({ check, outcome: 'refused', advice: expect.any(String) });
  return { failure: failure!, refused: checks.at(-1)! };
}

describe('a model that would hurt is refused, and the caller survives:', () => {
  test('a native crash that its golden pairs do not show', async () => {
    const { failure } = await expectRefused(crashOnMinusOne(), 'model-crashes', 'probes');
    expect(failure.facts).toMatchObject({ input: 'n', probe: '-1', rule: 'inputs.n.min' });
    const { validation } = await validate(crashOnMinusOne(), { inputs: { n: { min: 1 } } });
    expect(validation).toBeDefined();
  });

  test('a native crash on a golden pair', async () => {
    const input = { name: 'n', shape: [1], datatype: 'INT64', data: [-1] };
    const output = { name: 'y', shape: [1], datatype: 'FP32', data: [1] };
    const golden = JSON.stringify({ inputs: [input], outputs: [output] });
    await expectRefused({ ...crashOnMinusOne(), golden }, 'model-crashes', 'golden');
  });

  test('a native crash on an empty text, which no rule excludes', async () => {
    const { refused } = await expectRefused(crashOnEmptyText(), 'model-crashes', 'probes');
    expect(refused.detail).toContain('text: an empty text ends the process');
  });

  test('an endless loop, always or on ordinary inputs', async () => {
    await expectRefused(endlessLoop('always'), 'validation-timeout', 'golden', { timeoutMs: 300 });
    await expectRefused(endlessLoop('positive'), 'validation-timeout', 'constant', { timeoutMs: 300 });
  });

  test('the same answer to everything', async () => {
    await expectRefused(constantAnswer(42), 'model-constant', 'constant', { mayBeConstant: false });
    expect((await validate(constantAnswer(42))).validation).toBeDefined();
  });

  test('other answers than its golden pairs say', async () => {
    const { golden } = constantAnswer(41);
    await expectRefused({ ...constantAnswer(42), golden }, 'golden-mismatch', 'golden');
  });

  test('golden pairs of another model', async () => {
    await expectRefused({ ...constantAnswer(42), golden: idLookup().golden }, 'golden-invalid', 'golden');
  });

  test('a file that is damaged, or no model', async () => {
    const files = idLookup();
    await expectRefused({ ...files, model: files.model.subarray(0, 60) }, 'model-invalid', 'file');
    await expectRefused({ ...files, model: new Uint8Array(100) }, 'model-invalid', 'file');
  });

  test('nothing of it is left behind', async () => {
    const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('sluice-check-'));
    const before = left();
    await expectRefused(crashOnMinusOne(), 'model-crashes', 'probes');
    expect(left().filter((name) => !before.includes(name))).toEqual([]);
  });
});

describe('rows of a run', () => {
  test.each([
    ['centred on their mean', centredOnRun(), 'mate-dependent'],
    ['quantized by their range', quantizedByRun(), 'mate-dependent'],
    ['scaled by their number', countingRows(), 'size-dependent'],
    ['that NaN spreads to', spreadingNaN(), 'mate-dependent'],
  ] as const)('%s are never of two tenants', async (_, files, verdict) => {
    const { validation } = await validate(files);
    expect(validation?.batchMates.verdict).toBe(verdict);
    const check = validation?.checks.find((each) => each.check === 'batch-mates');
    expect(check).toMatchObject({
      outcome: 'warning',
      detail: expect.stringContaining('never batched across tenants, because'),
    });
  });

  test.each([idLookup(), echoText(), echoAll(), trialModel(), crashOnCue(), endlessLoop('cue'), slowModel()])(
    'of $manifest.name may be of several',
    async (files) => {
      const { validation, failure } = await validate(files);
      expect(failure).toBeUndefined();
      expect(validation!.batchMates.verdict).toBe('independent');
    },
  );
});

describe('a sound model', () => {
  test('is measured', async () => {
    const { validation } = await validate(idLookup());
    expect(validation).toMatchObject({ goldenPairs: 1, largestDifference: 0 });
    expect(validation!.rowMs).toBeGreaterThan(0);
    expect(validation!.loadMs).toBeGreaterThan(0);
    expect(validation!.usdPerThousand).toBeGreaterThan(0);
    const lengths = new Set(validation!.speed.map(({ length }) => length));
    expect(Math.max(...lengths)).toBe(512);
    expect(Math.max(...validation!.speed.map(({ rows }) => rows))).toBe(64);
  });

  test('is told the bounds of its ids', async () => {
    const { checks } = await validate(idLookup());
    expect(checks.find(({ check }) => check === 'probes')).toMatchObject({
      outcome: 'warning',
      advice: expect.stringContaining('`inputs.ids.min` to 0 and `inputs.ids.max` to 9 (-1 is silently'),
    });
  });

  test('is packed by the most memory that it took, not by what it keeps', async () => {
    const { validation } = await validate(hungry());
    // 16 million floats are 61 MiB; an empty session takes 20 to 40.
    expect(validation!.memoryBytes).toBeGreaterThan(75 * MIB);
    expect(validation!.memoryBytes).toBeLessThan(300 * MIB);
  });

  for (const name of THIRD_PARTY_MODELS) {
    test(`of others is taken as it is: ${name}`, async ({ skip }) => {
      const path = thirdPartyFolder(name, SHARED_MODELS, join(folder, name));
      if (path === undefined) return skip(`the shared models are not here: ${SHARED_MODELS}`);
      const files = {
        model: readFileSync(join(path, 'model.onnx')),
        manifest: JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')) as ModelFiles['manifest'],
        golden: readFileSync(join(path, 'golden.jsonl'), 'utf8'),
      };
      const { validation, failure } = await validate(files);
      expect(failure).toBeUndefined();
      expect(validation!.goldenPairs).toBeGreaterThan(0);
    });
  }
});
