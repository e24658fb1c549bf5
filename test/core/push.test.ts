import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure, type FailureCode } from '../../core/failure.ts';
import type { Push } from '../../core/models/push.ts';
import { acceptPush, readValidation, setStable } from '../../core/models/push.ts';
import { DAY_MS, GIB, MIB } from '../../core/units.ts';
import { override } from '../support/fault.ts';
import { aPush, GOLDEN, PushWorld } from '../support/push-world.ts';

let world: PushWorld;

beforeEach(async () => {
  world = await PushWorld.open();
});

afterEach(() => world.close());

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw new Error('it did not fail as expected', { cause: error });
  return error;
}

async function problemsOf(push: Push): Promise<readonly string[]> {
  const { code, facts } = await failureOf(acceptPush(world.ports, push));
  expect(code).toBe('manifest-invalid');
  return facts.problems as readonly string[];
}

const placesOf = (problems: readonly string[]) => problems.map((problem) => problem.split(':')[0]).sort();

describe('a push', () => {
  test('adds versions in order, and the first one of a model answers from then on', async () => {
    const first = await world.push({ name: 'm' });
    const second = await world.push({ name: 'm' }, { model: 'other bytes' });
    expect([first.version.version, second.version.version]).toEqual(['1', '2']);
    expect([first.added, second.added]).toEqual([true, true]);
    expect(await world.local.ports.registry.readRoute('m')).toEqual({ model: 'm', stable: '1', epoch: 1 });
    expect(first.version).toMatchObject({ modelBytes: 11, pushedBy: 'key:1' });
  });

  test('of the same files gives the version that is there, unvalidated, however the manifest is written', async () => {
    const first = await world.push({ name: 'm', timeoutMs: 500, description: 'd' });
    const again = await world.push({ description: 'd', timeoutMs: 500, name: 'm', inputs: {} });
    expect(again).toEqual({ version: first.version, added: false });
    expect(world.subjects.length).toBe(1);
    expect((await world.local.ports.validations.list('m', 10)).length).toBe(1);
  });

  test('of another manifest, model, golden file, tokenizer or reference is another version', async () => {
    const tokenizer = { ids: 'ids' };
    await world.push({ name: 'm' });
    await world.push({ name: 'm', timeoutMs: 500 });
    await world.push({ name: 'm' }, { model: 'other' });
    await world.push({ name: 'm' }, { golden: null });
    await world.push({ name: 'm', tokenizer }, { tokenizer: '{}' });
    await world.push({ name: 'm', tokenizer }, { tokenizer: '{ }' });
    for (const rows of [1, 2]) await world.push({ name: 'm' }, { reference: `{"labels":{"yes":${rows}}}` });
    const versions = await world.versions();
    expect(versions.map(({ version }) => version)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
    expect(new Set(versions.map(({ referenceDigest }) => referenceDigest)).size).toBe(3);
  });

  test('that is the same as one under way joins it, and so do several at once', async () => {
    const accepted = await Promise.all([1, 2, 3].map(() => acceptPush(world.ports, aPush({ name: 'm' }))));
    const ids = accepted.map((each) => (each.kind === 'validating' ? each.record.id : each.kind));
    expect(new Set(ids).size).toBe(1);
    const pushed = await Promise.all([1, 2].map(() => world.push({ name: 'm' })));
    expect(pushed.map(({ version }) => version.version)).toEqual(['1', '1']);
    expect(world.subjects.length).toBe(1);
  });

  test('that was refused may be pushed again, and is validated again', async () => {
    world.look = () => Promise.reject(new Failure('validation-timeout'));
    expect((await failureOf(world.push({ name: 'm' }))).code).toBe('validation-timeout');
    world.look = async () => {};
    expect((await world.push({ name: 'm' })).added).toBe(true);
    const states = (await world.local.ports.validations.list('m', 10)).map(({ state }) => state.kind);
    expect(states).toEqual(['accepted', 'refused']);
  });

  test('finds what was pushed before even behind hundreds of versions', async () => {
    const { version } = await world.push({ name: 'm' }, { model: 'the last' });
    const { registry } = world.local.ports;
    const others = Array.from({ length: 250 }, (_, n) => ({
      ...version,
      model: 'n',
      digest: `${n}`.padStart(64, '0'),
    }));
    await Promise.all(others.map((other) => registry.addVersion(other)));
    await registry.addVersion({ ...(await world.push({ name: 'n' }, { model: 'x' })).version });
    expect(await world.push({ name: 'n' }, { model: 'x' })).toMatchObject({
      added: false,
      version: { version: '251' },
    });
  });

  test('of two at once makes one version stable', async () => {
    await Promise.all([world.push({ name: 'm' }), world.push({ name: 'm' }, { model: 'other' })]);
    expect((await world.versions()).length).toBe(2);
    expect((await world.local.ports.registry.readRoute('m'))?.epoch).toBe(1);
  });

  test('that validation refuses adds nothing', async () => {
    world.look = () => Promise.reject(new Failure('golden-mismatch', { detail: 'far off', advice: 'look again' }));
    const { code, facts } = await failureOf(world.push({ name: 'm' }));
    expect({ code, facts }).toEqual({ code: 'golden-mismatch', facts: { detail: 'far off', advice: 'look again' } });
    expect(await world.versions()).toEqual([]);
    expect(await world.stableOf()).toBeUndefined();
  });
});

describe('what is checked at once', () => {
  test('names every mistake in a manifest, those of its names too', async () => {
    await world.push({ name: 'there' });
    const manifest = {
      name: 'Not A Name',
      timeoutMs: 1,
      surprise: true,
      limits: { rows: 3, columns: 4 },
      fallback: { model: 'nowhere', after: 1 },
      variants: { pro: 'there', gold: 'there', free: 'nowhere' },
      pool: 'small',
    };
    const problems = await problemsOf(aPush(manifest, { tokenizer: '{}' }));
    expect(placesOf(problems)).toEqual(
      [
        'name',
        'timeoutMs',
        'surprise',
        'limits.rows',
        'limits.columns',
        'fallback.after',
        'fallback.model',
        'variants.gold',
        'variants.free',
        'pool',
        'tokenizer',
      ].sort(),
    );
    expect((await failureOf(acceptPush(world.ports, aPush(undefined)))).code).toBe('manifest-invalid');
    expect(await problemsOf(aPush('text'))).toHaveLength(1);
  });

  test('knows other models, plans and pools, and the model itself for a plan', async () => {
    await world.push({ name: 'there' });
    const manifest = { name: 'm', fallback: { model: 'there' }, variants: { pro: 'there', free: 'm' }, pool: 'big' };
    expect((await acceptPush(world.ports, aPush(manifest))).kind).toBe('validating');
    expect(placesOf(await problemsOf(aPush({ name: 'm', fallback: { model: 'm' } })))).toEqual(['fallback.model']);
  });

  test('wants a tokenizer.json where the manifest has a tokenizer, and nowhere else', async () => {
    expect(placesOf(await problemsOf(aPush({ name: 'm', tokenizer: {} })))).toEqual(['tokenizer']);
    expect(placesOf(await problemsOf(aPush({ name: 'm' }, { tokenizer: '{}' })))).toEqual(['tokenizer']);
    expect((await acceptPush(world.ports, aPush({ name: 'm', tokenizer: {} }, { tokenizer: '{}' }))).kind).toBe(
      'validating',
    );
  });

  test('holds the name of the model against the one that the caller names', async () => {
    const push = { ...aPush({ name: 'm', surprise: 1 }), model: 'n' };
    expect(placesOf(await problemsOf(push))).toEqual(['name', 'surprise']);
  });

  test.each<[string, string]>([
    ['cut short', '{"inputs":[]'],
    ['without tensors', '{"inputs":[],"outputs":[]}'],
    [
      'whose data does not fill the shape',
      '{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1]}],"outputs":[]}',
    ],
    ['with a member too many', '{"outputs":[],"more":1}'],
    ['that is no object', '[]'],
  ])('says where in a golden file a line is wrong: one %s', async (_, line) => {
    const failure = await failureOf(acceptPush(world.ports, aPush({ name: 'm' }, { golden: `${GOLDEN}\n${line}` })));
    expect(failure.code).toBe('golden-invalid');
    expect(failure.facts.line).toBe(3);
  });

  test.each<[string, Parameters<typeof aPush>[1], FailureCode]>([
    ['model', { model: '' }, 'model-invalid'],
    ['golden file', { golden: '\n \n' }, 'golden-invalid'],
    ['tokenizer', { tokenizer: '' }, 'tokenizer-invalid'],
  ])('refuses an empty %s', async (_, files, code) => {
    const manifest = files?.tokenizer === undefined ? { name: 'm' } : { name: 'm', tokenizer: {} };
    expect((await failureOf(acceptPush(world.ports, aPush(manifest, files)))).code).toBe(code);
    expect(await world.local.ports.validations.list('m', 10)).toEqual([]);
  });

  test('refuses files over their limits, and takes those at them', async () => {
    const pieces = async function* (count: number, more: number): AsyncGenerator<Uint8Array> {
      const piece = new Uint8Array(MIB);
      for (let at = 0; at < count; at += 1) yield piece;
      yield piece.subarray(0, more);
    };
    // Counted, not kept: two gibibytes would take long to write.
    const store = async (stored: AsyncIterable<Uint8Array>) => {
      let sizeBytes = 0;
      for await (const piece of stored) sizeBytes += piece.length;
      return { digest: 'e'.repeat(64), sizeBytes };
    };
    const ports = { ...world.ports, artifacts: override(world.ports.artifacts, { store }) };
    const push = (changes: Partial<Push>) => ({
      ...aPush({ name: 'm', tokenizer: {} }, { tokenizer: '{}' }),
      ...changes,
    });
    const over = async (changes: Partial<Push>) => (await failureOf(acceptPush(ports, push(changes)))).facts;
    expect(await over({ tokenizer: pieces(32, 1) })).toMatchObject({ field: 'tokenizer', limitBytes: 32 * MIB });
    expect(await over({ modelBytes: pieces(2048, 1) })).toMatchObject({
      field: 'model',
      limitBytes: 2 * GIB,
    });
    expect(await over({ golden: pieces(64, 1) })).toMatchObject({ field: 'golden', limitBytes: 64 * MIB });
    const atLimit = await acceptPush(ports, push({ tokenizer: pieces(32, 0), modelBytes: pieces(2048, 0) }));
    expect(atLimit).toMatchObject({ kind: 'validating', record: { modelBytes: 2 * GIB } });
  });
});

describe('the record of a validation', () => {
  test('is of its model alone, and known for 30 days', async () => {
    const accepted = await acceptPush(world.ports, aPush({ name: 'm' }));
    if (accepted.kind !== 'validating') throw new Error(accepted.kind);
    const { id } = accepted.record;
    expect(await readValidation(world.ports, 'm', id)).toEqual(accepted.record);
    expect((await failureOf(readValidation(world.ports, 'n', id))).code).toBe('validation-unknown');
    world.clock.jump(30 * DAY_MS - 5000);
    expect((await readValidation(world.ports, 'm', id)).id).toBe(id);
    world.clock.jump(5001);
    expect((await failureOf(readValidation(world.ports, 'm', id))).code).toBe('validation-unknown');
  });
});

describe('the stable version', () => {
  test('is changed to a version that exists, and to no other', async () => {
    await world.push({ name: 'm' });
    await world.push({ name: 'm' }, { model: 'other' });
    const ports = { ...world.ports, releases: world.local.ports.releases };
    expect(await setStable(ports, 'm', '2')).toEqual({ model: 'm', stable: '2', epoch: 2 });
    expect(await setStable(ports, 'm', '2')).toEqual({ model: 'm', stable: '2', epoch: 2 });
    expect((await failureOf(setStable(ports, 'm', '3'))).code).toBe('version-unknown');
    expect((await failureOf(setStable(ports, 'n', '1'))).code).toBe('model-unknown');
    expect((await failureOf(setStable(ports, 'm', '1', 1))).code).toBe('state-conflict');
    expect(await world.stableOf()).toBe('2');
  });
});
