import { describe, expect, test } from 'vitest';
import { CHECKS, validationSchema } from '../../../core/models/report.ts';
import { signatureSchema } from '../../../core/models/signature.ts';
import { GIB } from '../../../core/units.ts';
import { checkOf, type FakeModel, perRow, validateFake } from '../../support/fake-sandbox.ts';

const sound: FakeModel = { answer: perRow(([x]) => 3 * x!) };

describe('a validation', () => {
  test('looks at everything in order, and its report can be stored', async () => {
    const { validated, told, open } = await validateFake({ model: sound });
    expect(validated!.validation.checks.map(({ check }) => check)).toEqual(CHECKS);
    expect(validationSchema.parse(validated!.validation)).toEqual(validated!.validation);
    expect(signatureSchema.parse(validated!.signature)).toEqual(validated!.signature);
    expect(validated!.graphSignature).toBeUndefined();
    expect(told.length).toBeGreaterThanOrEqual(CHECKS.length);
    expect(open).toBe(0);
  });

  test('leaves the file to the caller if it accepts, and none if it refuses', async () => {
    const accepted = await validateFake({ model: sound });
    expect(accepted.discarded).toBe(0);
    await accepted.validated!.prepared.discard();
    expect(accepted.discarded).toBe(0);
    expect((await validateFake({ model: { answer: () => 'crashes' } })).discarded).toBe(1);
  });

  test.each([
    [{ kind: 'refused', reason: 'not a protobuf' }, 'model-invalid'],
    [{ kind: 'crashed' }, 'model-invalid'],
    [{ kind: 'timed-out' }, 'validation-timeout'],
  ] as const)('refuses a file whose loading ends %o', async (load, code) => {
    const { failure, checks } = await validateFake({ model: { ...sound, load } });
    expect(failure).toMatchObject({ code });
    expect(checks.map(({ check, outcome }) => [check, outcome])).toEqual([
      ['file', 'passed'],
      ['loads', 'refused'],
    ]);
  });

  test('refuses FP16 inputs, and rules for inputs that are not there', async () => {
    const half: FakeModel = {
      ...sound,
      signature: {
        inputs: [{ name: 'x', datatype: 'FP16', shape: ['batch', 1] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
      },
    };
    expect((await validateFake({ model: half })).failure).toMatchObject({
      code: 'model-invalid',
      facts: { inputs: ['x'] },
    });
    const { failure, checks } = await validateFake({ model: sound, manifest: { inputs: { z: { min: 0 } } } });
    expect(failure).toMatchObject({ code: 'manifest-invalid' });
    expect(checkOf({ checks }, 'signature')?.detail).toContain('inputs.z: the model has no such input');
  });

  test('refuses a model that needs more memory than can be given', async () => {
    const { failure } = await validateFake({ model: { ...sound, peakBytes: 8 * GIB + 1 } });
    expect(failure).toMatchObject({ code: 'model-invalid', facts: { limit: 8 * GIB } });
    expect((await validateFake({ model: { ...sound, peakBytes: 8 * GIB } })).validated!.validation.memoryBytes).toBe(
      8 * GIB,
    );
  });

  test('gives no run more time than the manifest does, and all of them a minute', async () => {
    const slow: FakeModel = { ...sound, runMs: () => 1500 };
    const { runs, failure, validated } = await validateFake({ model: slow, manifest: { timeoutMs: 1600 } });
    expect(failure).toBeUndefined();
    expect(runs.length).toBeLessThanOrEqual(40);
    expect(validated!.validation.tookMs).toBeLessThanOrEqual(61_600);
    const tooSlow = await validateFake({ model: slow, manifest: { timeoutMs: 1400 } });
    expect(tooSlow.failure).toMatchObject({ code: 'validation-timeout' });
  });

  test('goes on in a fresh process after one has ended', async () => {
    const onEmpty: FakeModel = {
      answer: (inputs) => (inputs[0]!.data.length === 0 ? 'crashes' : sound.answer(inputs)),
    };
    const { validated, loads, open } = await validateFake({ model: onEmpty });
    expect(validated!.validation.batchMates.verdict).toBe('independent');
    expect({ loads, open }).toEqual({ loads: 2, open: 0 });
  });
});
