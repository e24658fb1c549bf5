import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../core/failure.ts';
import type { Caller } from '../../core/inference/request.ts';
import type { Release } from '../../core/release/release.ts';
import { expectFailureOf } from '../support/failures.ts';
import { aVersion } from '../support/jobs.ts';
import { aRelease, rolledBack, shareOf } from '../support/release-traffic.ts';
import { openScriptedGateway, type ScriptedGateway } from '../support/scripted-gateway.ts';

const EVERYBODY = shareOf(10_000);

let host: ScriptedGateway;

beforeEach(async () => {
  host = await openScriptedGateway();
  for (const version of ['1', '2', '3']) await host.add(aVersion({ version, manifest: { cache: { seconds: 60 } } }));
  await host.report();
});

afterEach(() => host.close());

/** The version that answered, past the cache. */
async function ask(caller: Caller = host.caller(), version?: string, model = 'm') {
  const answer = await host.gateway.infer(host.call({ caller, version, model, caching: 'avoid' }));
  return answer.version;
}

const pinned = (pins: Record<string, string>): Caller => {
  const caller = host.caller();
  return { ...caller, tenant: { ...caller.tenant, pins } };
};

async function start(release: Release): Promise<Release> {
  await host.local.ports.releases.start({ ...release, epoch: 1 }, []);
  await host.local.clock.advance(1001);
  await host.report();
  return { ...release, epoch: 1 };
}

describe('the version of a request', () => {
  test('is the candidate once the release has everybody, and its job says so', async () => {
    expect(await ask()).toBe('1');
    await start(aRelease({ share: EVERYBODY }));
    expect(await ask()).toBe('2');
    expect(host.jobs.at(-1)).toMatchObject({ version: '2', onCandidate: true, lot: { release: 'rel_1.1' } });
    expect(host.jobs.at(-1)!.versionNamed).toBe(false);
  });

  test('is the one named, and drawn by no lot, then the one pinned', async () => {
    await start(aRelease({ share: EVERYBODY }));
    expect(await ask(host.caller(), '1')).toBe('1');
    expect(await ask(pinned({ m: '3' }), '1')).toBe('1');
    expect(await ask(pinned({ m: '3' }))).toBe('3');
    expect(await ask(pinned({ other: '3' }))).toBe('2');
    const [named, , pin] = host.jobs;
    for (const job of [named!, pin!])
      expect([job.versionNamed, job.lot, job.onCandidate]).toEqual([true, undefined, undefined]);
  });

  test('pinned to one that is gone is told as unknown', async () => {
    await expectFailureOf(ask(pinned({ m: '77' })), 'version-unknown');
  });

  test('is stable again a second after the release was rolled back, at the latest', async () => {
    const release = await start(aRelease({ share: EVERYBODY }));
    expect(await ask()).toBe('2');
    await host.local.ports.releases.write(rolledBack(release, host.local.clock.nowMs()), []);
    await host.local.clock.advance(1001);
    await host.report();
    expect(await ask()).toBe('1');
    expect(host.jobs.at(-1)!.lot).toBeUndefined();
  });

  test('follows an undo to a version that the route does not name yet', async () => {
    const release = await start(aRelease({ share: EVERYBODY }));
    await host.local.ports.releases.write(rolledBack(release, host.local.clock.nowMs(), '3'), []);
    await host.local.clock.advance(1001);
    await host.report();
    expect(await ask()).toBe('3');
  });

  test('is read once a second for as many requests as come, release or not', async () => {
    const { releases } = host.local.ports;
    const read = releases.readLatest.bind(releases);
    let reads = 0;
    releases.readLatest = (model) => {
      reads += 1;
      return read(model);
    };
    for (let at = 0; at < 20; at += 1) await ask();
    expect(reads).toBe(1);
  });

  test('is the stable one where the release cannot be read', async () => {
    await start(aRelease({ share: EVERYBODY }));
    host.local.ports.releases.readLatest = async () => {
      throw new Failure('record-damaged');
    };
    await host.local.clock.advance(1001);
    await host.report();
    expect(await ask()).toBe('1');
    expect(host.local.logged.some((line) => line.includes('a release cannot be read'))).toBe(true);
  });

  test("is that of the variant's release or pin where the plan has a variant", async () => {
    await host.add(aVersion({ model: 'front', manifest: { variants: { pro: 'm' } } }));
    await start(aRelease({ share: EVERYBODY }));
    expect(await ask(host.caller(), undefined, 'front')).toBe('2');
    expect(host.jobs.at(-1)).toMatchObject({ model: 'm', requestedModel: 'front', onCandidate: true });
    expect(await ask(pinned({ m: '3' }), undefined, 'front')).toBe('3');
    expect(await ask(pinned({ front: '1' }), undefined, 'front')).toBe('1');
    expect(host.jobs.at(-1)!.model).toBe('front');
  });
});

describe('the response cache', () => {
  test("gives a candidate's answer to nobody on stable, and the reverse", async () => {
    host.script = ({ version }) => Number(version);
    const first = async () => {
      const answer = await host.gateway.infer(host.call());
      if (answer.kind !== 'answered') throw new Error('not answered');
      return [answer.version, answer.outcome.outputs[0]!.data[0], answer.cache];
    };
    expect(await first()).toEqual(['1', 1, 'miss']);
    const release = await start(aRelease({ share: EVERYBODY }));
    expect(await first()).toEqual(['2', 2, 'miss']);
    expect(await first()).toEqual(['2', 2, 'hit']);
    await host.local.ports.releases.write(rolledBack(release, host.local.clock.nowMs()), []);
    await host.local.clock.advance(1001);
    await host.report();
    expect(await first()).toEqual(['1', 1, 'hit']);
  });
});
