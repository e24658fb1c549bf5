import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Caller, InferAnswer, InferCall } from '../../core/inference/request.ts';
import { SECOND_MS } from '../../core/units.ts';
import { aVersion } from '../support/jobs.ts';
import { RegionPlaces } from '../support/region-places.ts';
import { openScriptedGateway, type ScriptedGateway } from '../support/scripted-gateway.ts';

const PLACES = 3;

let host: ScriptedGateway;
let places: RegionPlaces;

beforeEach(async () => {
  places = new RegionPlaces();
  host = await openScriptedGateway({}, places);
  await host.add(aVersion({}));
  host.script = () => 'silent';
});

afterEach(() => host.close());

function callerOf(tenant: string): Caller {
  const caller = host.caller({ waitingHandlers: PLACES });
  return { ...caller, tenant: { ...caller.tenant, id: tenant } };
}

/** Requests of a tenant, each in a process of its own, once all their jobs are under way. Answers are added as they come. */
async function flood(tenant: string, count: number, changes: Partial<InferCall> = {}): Promise<InferAnswer[]> {
  const before = host.jobs.length;
  const answers: InferAnswer[] = [];
  for (let each = 0; each < count; each += 1) {
    const call = host.call({ caller: callerOf(tenant), ...changes });
    const infer = host.anotherProcess().infer(call);
    // Those who wait until the region closes hear nothing more.
    infer.then((answer) => answers.push(answer)).catch(() => {});
  }
  await vi.waitFor(() => expect(host.jobs.length).toBe(before + count));
  return answers;
}

async function endAll(): Promise<void> {
  const endedAtMs = host.local.clock.nowMs();
  for (const job of host.jobs) {
    const end = { kind: 'succeeded', version: '1', outputs: [], computeMs: 1, queueMs: 0, batchRows: 1 } as const;
    await host.local.ports.jobs.finish(job, { ...end, endedAtMs });
  }
}

describe('where each process serves one request', () => {
  test('a tenant that floods waits in as many as it has places, and is told 202 in the others after two seconds', async () => {
    const flooded = await flood('acme', 20);
    const quiet = await flood('globex', PLACES);
    await host.local.clock.advance(2 * SECOND_MS - 100);
    expect([flooded.length, quiet.length]).toEqual([0, 0]);
    await host.local.clock.advance(200);
    await vi.waitFor(() => expect(flooded).toHaveLength(20 - PLACES));
    expect(flooded.map(({ kind }) => kind)).toEqual(flooded.map(() => 'accepted'));
    expect(places.endsOf('acme')).toHaveLength(PLACES);
    expect(places.endsOf('globex')).toHaveLength(PLACES);
    expect(quiet).toEqual([]);
    const accepted = [...flooded];
    await endAll();
    await vi.waitFor(() => expect([flooded.length, quiet.length]).toEqual([20, PLACES]));
    expect(quiet.map(({ kind }) => kind)).toEqual(quiet.map(() => 'answered'));
    for (const { id } of accepted) {
      expect((await host.gateway.readPrediction(callerOf('acme'), id, 0)).kind).toBe('answered');
    }
  });

  test('places are there again once those who waited are answered', async () => {
    const first = await flood('acme', PLACES);
    await host.local.clock.advance(2 * SECOND_MS);
    await vi.waitFor(() => expect(places.endsOf('acme')).toHaveLength(PLACES));
    await endAll();
    await vi.waitFor(() => expect(first).toHaveLength(PLACES));
    expect(places.endsOf('acme')).toEqual([]);
    const next = await flood('acme', PLACES);
    await host.local.clock.advance(2 * SECOND_MS);
    await vi.waitFor(() => expect(places.endsOf('acme')).toHaveLength(PLACES));
    expect(next).toEqual([]);
  });

  test('a place ends with the wait that it is for, so that who crashes holds it no longer', async () => {
    const { clock } = host.local;
    const startMs = clock.nowMs();
    await flood('acme', 1);
    await flood('globex', 1, { prefer: { respondAsync: true, waitMs: 5 * SECOND_MS } });
    await clock.advance(2 * SECOND_MS);
    await vi.waitFor(() => expect(places.endsOf('acme')).toEqual([startMs + 25 * SECOND_MS]));
    expect(places.endsOf('globex')).toEqual([startMs + 5 * SECOND_MS]);
  });

  test('an answer within two seconds takes no place, and who would not wait longer is told 202 then', async () => {
    const take = vi.spyOn(places, 'take');
    const hurried = await flood('acme', 1, { prefer: { respondAsync: true, waitMs: 2 * SECOND_MS } });
    const soon = await flood('acme', PLACES + 1);
    await endAll();
    await vi.waitFor(() => expect(soon).toHaveLength(PLACES + 1));
    await vi.waitFor(() => expect(hurried).toHaveLength(1));
    const late = await flood('acme', 1, { prefer: { respondAsync: true, waitMs: 2 * SECOND_MS } });
    await host.local.clock.advance(2 * SECOND_MS);
    await vi.waitFor(() => expect(late.map(({ kind }) => kind)).toEqual(['accepted']));
    expect(take).not.toHaveBeenCalled();
  });

  test('who asks for a prediction that has not ended waits in a place from the start, or hears at once that it is pending', async () => {
    const bulk = await flood('acme', 1, { prefer: { respondAsync: true, waitMs: 0 } });
    await vi.waitFor(() => expect(bulk).toHaveLength(1));
    const { id } = bulk[0]!;
    const asked: InferAnswer[] = [];
    const ask = () => host.anotherProcess().readPrediction(callerOf('acme'), id, 20 * SECOND_MS);
    for (let each = 0; each < PLACES + 5; each += 1)
      ask()
        .then((answer) => asked.push(answer))
        .catch(() => {});
    await vi.waitFor(() => expect(asked).toHaveLength(5));
    expect(asked.map(({ kind }) => kind)).toEqual(asked.map(() => 'accepted'));
    await endAll();
    await vi.waitFor(() => expect(asked).toHaveLength(PLACES + 5));
    expect(asked.slice(5).map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered']);
    expect(places.endsOf('acme')).toEqual([]);
  });

  test('who cannot be told whether there is a place is told 202, and loses nothing', async () => {
    vi.spyOn(places, 'take').mockRejectedValue(new Error('no table'));
    const answers = await flood('acme', 1);
    await host.local.clock.advance(2 * SECOND_MS);
    await vi.waitFor(() => expect(answers.map(({ kind }) => kind)).toEqual(['accepted']));
    await endAll();
    expect((await host.gateway.readPrediction(callerOf('acme'), answers[0]!.id, 0)).kind).toBe('answered');
  });

  test('a place that cannot be given back keeps no answer from its caller', async () => {
    vi.spyOn(places, 'take').mockResolvedValue({ leave: () => Promise.reject(new Error('no table')) });
    const answers = await flood('acme', 1);
    await host.local.clock.advance(2 * SECOND_MS);
    await endAll();
    await vi.waitFor(() => expect(answers.map(({ kind }) => kind)).toEqual(['answered']));
  });
});

test('a caller whose fallback is asked too waits in one place', async () => {
  await host.add(aVersion({ model: 'small' }));
  await host.add(aVersion({ model: 'big', manifest: { fallback: { model: 'small', afterMs: 100 } } }));
  const answers = await flood('acme', 1, { model: 'big' });
  await host.local.clock.advance(150);
  await vi.waitFor(() => expect(host.jobs).toHaveLength(2));
  await host.local.clock.advance(3 * SECOND_MS);
  await vi.waitFor(() => expect(places.endsOf('acme')).toHaveLength(1));
  await endAll();
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  await vi.waitFor(() => expect(places.endsOf('acme')).toEqual([]));
});
