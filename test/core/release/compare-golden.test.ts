import { expect, test } from 'vitest';
import { Replays } from '../../../core/models/replay/replay.ts';
import type { SandboxRun } from '../../../core/ports/sandbox.ts';
import type { Contenders } from '../../../core/release/check-start.ts';
import { compareOnGolden } from '../../../core/release/compare-golden.ts';
import { expectFailureOf } from '../../support/failures.ts';
import { floats } from '../../support/jobs.ts';
import { ReplayWorld, type Script } from '../../support/replay-ports.ts';

const ASKER = { by: 'key:op', signal: undefined };

const answer = (value: number): SandboxRun => ({
  kind: 'done',
  outputs: [floats('y', [1, 1], [value])],
  computeMs: 1,
});

/** Two versions, the first with ten golden pairs unless told otherwise. */
async function contenders(to: Script, golden = 10): Promise<{ world: ReplayWorld; versions: Contenders }> {
  const world = new ReplayWorld();
  world.add(answer, { version: '1', golden });
  world.add(to, { version: '2' });
  const { registry } = world.ports();
  const read = async (version: string) => (await registry.readVersion('m', version))!;
  return { world, versions: { stable: await read('1'), candidate: await read('2') } };
}

async function sentenceOf(to: Script, golden?: number): Promise<string> {
  const { world, versions } = await contenders(to, golden);
  return (await compareOnGolden(new Replays(world.ports()), versions, ASKER)).sentence;
}

test('says how many golden inputs both versions answer alike, and what else was odd', async () => {
  expect(await sentenceOf(answer)).toBe('answers 10 of 10 golden inputs as version 1 does');
  expect(await sentenceOf((x) => answer(x === 7 ? 8 : x))).toBe('answers 9 of 10 golden inputs as version 1 does');
  expect(await sentenceOf((x) => (x === 3 ? { kind: 'crashed', computeMs: 1 } : answer(x)))).toBe(
    'answers 9 of 10 golden inputs as version 1 does; it crashed on 1',
  );
});

test('says so where there is nothing to compare by', async () => {
  expect(await sentenceOf(answer, 0)).toBe('version 1 has no golden pairs to compare by');
});

test('a candidate that cannot be loaded is refused; a stable version that cannot is what may be replaced', async () => {
  const { world, versions } = await contenders(answer);
  const compare = () => compareOnGolden(new Replays(world.ports()), versions, ASKER);
  world.onLoad = (key) => (key === 'm@2' ? 'refused' : 'loaded');
  await expectFailureOf(compare(), 'model-load-failed', { version: '2' });
  world.onLoad = (key) => (key === 'm@1' ? 'crashed' : 'loaded');
  expect(await compare()).toEqual({
    report: undefined,
    sentence: 'version 1 cannot be loaded to be compared with',
  });
  expect(world.open).toBe(0);
});
