import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Failure, type FailureCode } from '../../core/failure.ts';
import { pushVersion, setStable } from '../../core/models/push.ts';
import type { Signature } from '../../core/models/signature.ts';
import type { ModelRoute, ModelVersion } from '../../core/models/version.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { aVersion, ROW_SIGNATURE } from '../support/jobs.ts';

type Ports = Pick<Platform, 'artifacts' | 'registry' | 'modelChecker' | 'clock' | 'log'>;

/** A store, a registry and a checker that finds every model good, in memory. */
class PushWorld {
  readonly stored = new Map<string, Uint8Array>();
  readonly versions: ModelVersion[] = [];
  readonly routes = new Map<string, ModelRoute>();
  checks = 0;
  signature: Signature = ROW_SIGNATURE;
  failure: Failure | undefined;

  ports(): Ports {
    const world = this;
    const quiet = () => {};
    return {
      clock: { nowMs: () => 1234.5, sleep: async () => {} },
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      modelChecker: {
        async check() {
          world.checks += 1;
          if (world.failure !== undefined) throw world.failure;
          return { signature: world.signature, validation: aVersion().validation };
        },
      },
      artifacts: {
        async store(bytes: AsyncIterable<Uint8Array>) {
          const chunks = await Array.fromAsync(bytes);
          const digest = createHash('sha256').update(Buffer.concat(chunks)).digest('hex');
          world.stored.set(digest, Buffer.concat(chunks));
          return { digest, sizeBytes: Buffer.concat(chunks).length };
        },
        fetch: async (digest: string) => `/store/${digest}`,
        has: async (digest: string) => world.stored.has(digest),
      },
      registry: world.#registry() as unknown as Platform['registry'],
    };
  }

  #registry() {
    const { versions, routes } = this;
    const ofModel = (model: string) => versions.filter((version) => version.model === model);
    return {
      async addVersion(record: Omit<ModelVersion, 'version'>) {
        const known = ofModel(record.model).find(({ digest }) => digest === record.digest);
        if (known !== undefined) return { version: known.version, added: false };
        const version = String(ofModel(record.model).length + 1);
        versions.push({ ...record, version });
        return { version, added: true };
      },
      readVersion: async (model: string, version: string) => ofModel(model).find((each) => each.version === version),
      listVersions: async (model: string, limit: number, cursor = '0') => {
        const from = Number(cursor);
        const items = ofModel(model).slice(from, from + limit);
        return { items, next: from + limit < ofModel(model).length ? String(from + limit) : undefined };
      },
      readRoute: async (model: string) => routes.get(model),
      async writeRoute(route: ModelRoute) {
        const epoch = routes.get(route.model)?.epoch ?? 0;
        if (route.epoch !== epoch + 1) throw new Failure('state-conflict');
        routes.set(route.model, route);
      },
    };
  }
}

async function* bytes(text: string): AsyncIterable<Uint8Array> {
  for (const character of text) yield new TextEncoder().encode(character);
}

const GOLDEN = `${JSON.stringify({
  inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [1] }],
  outputs: [{ name: 'y', shape: [1, 1], datatype: 'FP32', data: [2] }],
})}\n`;

function push(world: PushWorld, manifest: unknown, model = 'model bytes', golden: string | null = GOLDEN) {
  const files = { manifest, modelBytes: bytes(model), golden: golden === null ? undefined : bytes(golden) };
  return pushVersion(world.ports(), { ...files, pushedBy: 'key:1' });
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw new Error('it did not fail as expected', { cause: error });
  return error;
}

describe('a push', () => {
  test('adds versions in order, and the first one of a model answers from then on', async () => {
    const world = new PushWorld();
    const first = await push(world, { name: 'm' });
    const second = await push(world, { name: 'm' }, 'other bytes');
    expect([first.version.version, second.version.version]).toEqual(['1', '2']);
    expect([first.added, second.added]).toEqual([true, true]);
    expect(world.routes.get('m')).toEqual({ model: 'm', stable: '1', epoch: 1 });
    expect(first.version).toMatchObject({ modelBytes: 11, pushedBy: 'key:1', pushedAtMs: 1234 });
  });

  test('of the same three files gives the version that is there, unchecked, however the manifest is written', async () => {
    const world = new PushWorld();
    const first = await push(world, { name: 'm', timeoutMs: 500, description: 'd' });
    const again = await push(world, { description: 'd', timeoutMs: 500, name: 'm', inputs: {} });
    expect(again).toEqual({ version: first.version, added: false });
    expect(world.checks).toBe(1);
  });

  test('of another manifest, model or golden file is another version', async () => {
    const world = new PushWorld();
    await push(world, { name: 'm' });
    await push(world, { name: 'm', timeoutMs: 500 });
    await push(world, { name: 'm' }, 'other');
    await push(world, { name: 'm' }, 'model bytes', null);
    expect(world.versions.map(({ version }) => version)).toEqual(['1', '2', '3', '4']);
  });

  test('finds what was pushed before even behind hundreds of versions', async () => {
    const world = new PushWorld();
    for (let n = 0; n < 250; n += 1) await push(world, { name: 'm' }, `model ${n}`);
    expect(await push(world, { name: 'm' }, 'model 249')).toMatchObject({ added: false, version: { version: '250' } });
  });

  test('that was cut short before its model had a stable version is completed by the next one', async () => {
    const world = new PushWorld();
    await push(world, { name: 'm' });
    world.routes.clear();
    await push(world, { name: 'm' });
    expect(world.routes.get('m')?.stable).toBe('1');
  });

  test('of two at once makes one version stable', async () => {
    const world = new PushWorld();
    await Promise.all([push(world, { name: 'm' }), push(world, { name: 'm' }, 'other')]);
    expect(world.versions.length).toBe(2);
    expect(world.routes.get('m')?.epoch).toBe(1);
  });

  test('with mistakes in the manifest names all of them', async () => {
    const failure = await failureOf(push(new PushWorld(), { name: 'Not A Name', timeoutMs: 1, surprise: true }));
    expect(failure.code).toBe('manifest-invalid');
    const problems = failure.facts.problems as string[];
    expect(problems.length).toBe(3);
    expect(problems.join('\n')).toMatch(/name.*\n.*timeoutMs.*\n.*surprise/s);
    expect((await failureOf(push(new PushWorld(), undefined))).code).toBe('manifest-invalid');
  });

  test('with rules that do not fit the graph names all of them', async () => {
    const world = new PushWorld();
    world.signature = {
      inputs: [
        { name: 'text', datatype: 'BYTES', shape: ['batch'] },
        { name: 'ids', datatype: 'INT8', shape: ['batch', 'seq'] },
      ],
      outputs: ROW_SIGNATURE.outputs,
    };
    const inputs = { text: { pad: 0 }, ids: { pad: 128, maxLength: 3, min: 2, max: 1 }, absent: { min: 0 } };
    const failure = await failureOf(push(world, { name: 'm', inputs }));
    expect(failure.code).toBe('manifest-invalid');
    expect((failure.facts.problems as string[]).map((problem) => problem.split(':')[0])).toEqual([
      'inputs.text.pad',
      'inputs.ids.maxLength',
      'inputs.ids.min',
      'inputs.ids.pad',
      'inputs.absent',
    ]);
    expect(world.versions).toEqual([]);
  });

  test.each<[string, FailureCode]>([
    ['{"inputs":[]', 'golden-invalid'],
    ['{"inputs":[],"outputs":[]}', 'golden-invalid'],
    ['{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1]}],"outputs":[]}', 'golden-invalid'],
    ['{"outputs":[],"more":1}', 'golden-invalid'],
    ['[]', 'golden-invalid'],
  ])('with a golden file that cannot be read says where: %s', async (line, code) => {
    const world = new PushWorld();
    const failure = await failureOf(push(world, { name: 'm' }, 'model', `${GOLDEN}\n${line}`));
    expect(failure.code).toBe(code);
    expect(failure.facts.line).toBe(3);
    expect(world.checks).toBe(0);
  });

  test('that the checker refuses adds nothing', async () => {
    const world = new PushWorld();
    world.failure = new Failure('golden-mismatch');
    expect((await failureOf(push(world, { name: 'm' }))).code).toBe('golden-mismatch');
    expect(world.versions).toEqual([]);
    expect(world.routes.size).toBe(0);
  });

  test('of an empty file is refused without a check', async () => {
    const world = new PushWorld();
    expect((await failureOf(push(world, { name: 'm' }, ''))).code).toBe('model-invalid');
    expect(world.checks).toBe(0);
  });
});

describe('the stable version', () => {
  test('is changed to a version that exists, and to no other', async () => {
    const world = new PushWorld();
    await push(world, { name: 'm' });
    await push(world, { name: 'm' }, 'other');
    const ports = world.ports();
    expect(await setStable(ports, 'm', '2')).toEqual({ model: 'm', stable: '2', epoch: 2 });
    expect(await setStable(ports, 'm', '2')).toEqual({ model: 'm', stable: '2', epoch: 2 });
    expect((await failureOf(setStable(ports, 'm', '3'))).code).toBe('version-unknown');
    expect((await failureOf(setStable(ports, 'n', '1'))).code).toBe('model-unknown');
    expect((await failureOf(setStable(ports, 'm', '1', 1))).code).toBe('state-conflict');
    expect(world.routes.get('m')?.stable).toBe('2');
  });
});
