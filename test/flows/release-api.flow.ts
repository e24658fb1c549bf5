import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  ReleaseAuditJson,
  ReleaseDetailJson,
  ReleaseJson,
  ReleaseStartedJson,
  ReleaseVerbJson,
} from '../../core/api/release-json.ts';
import { serveFirst } from '../../core/models/known-version.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { echoText } from '../support/echo-models.ts';
import { type Answer, type ApiClient, firstOutput, fourOf } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';

/** Waits for people first, so that no driver moves it while it is looked at. */
const GATED = { steps: [{ gate: { people: 2 } }, { setWeight: 100 }] };
const NOBODY = `rel_${'0'.repeat(32)}`;

/** Releases over HTTP: their starts, their verbs, and everything that is refused. */
export function describeReleaseApi(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let ann: ApiClient;
  let bob: ApiClient;
  let models = 0;

  beforeAll(async () => {
    running = await start({ models: [constantAnswer(1), echoText('echo')], runners: 1 });
    ann = await running.addKey(undefined);
    bob = await running.addKey(undefined);
  });

  afterAll(() => running.end());

  type Change = Partial<Pick<ModelVersion, 'signature' | 'goldenDigest'>> & { readonly manifest?: object };

  /** Another version of a model, which answers as the first model that was pushed. */
  async function addTo(model: string, change: Change = {}): Promise<string> {
    const { registry } = running.region().platform;
    const pushed = await registry.readVersion('constant-answer', '1');
    const { version: _, ...record } = pushed!;
    const { manifest: members, ...others } = change;
    const manifest = manifestSchema.parse({ ...record.manifest, name: model, ...members });
    models += 1;
    const digest = createHash('sha256').update(`${model} ${models}`).digest('hex');
    return (await registry.addVersion({ ...record, ...others, model, manifest, digest })).version;
  }

  /** A model of its own with version 1, which is stable, and more. */
  async function aModel(versions = 2, change: Change = {}): Promise<string> {
    const model = `model-${models}`;
    for (let count = 0; count < versions; count += 1) await addTo(model, count === 1 ? change : {});
    await serveFirst(running.region().platform, { model, version: '1' });
    return model;
  }

  const startOf = (model: string, body: object = {}, caller = ann, headers = {}) =>
    caller.post(
      `/control/v1/models/${model}/releases`,
      { version: '2', plan: GATED, reason: 'it is better', ...body },
      headers,
    );
  const verb = (id: string, body: object, caller = ann, headers = {}): Promise<Answer> =>
    caller.post(`/control/v1/releases/${id}/verbs`, { reason: 'because', ...body }, headers);
  const read = async (id: string) => (await ann.get(`/control/v1/releases/${id}`)).json<ReleaseDetailJson>();
  const auditsOf = async (id: string) =>
    (await ann.get(`/control/v1/releases/${id}/audits`)).json<{ items: ReleaseAuditJson[] }>().items;

  async function started(model: string, body: object = {}): Promise<string> {
    const answer = await startOf(model, body);
    expect(answer.status).toBe(202);
    return answer.json<ReleaseStartedJson>().id;
  }

  async function applied(id: string, body: object, caller = ann): Promise<ReleaseVerbJson> {
    const answer = await verb(id, body, caller);
    expect(answer.status).toBe(200);
    return answer.json<ReleaseVerbJson>();
  }

  describe('a start', () => {
    test('compares both versions on golden pairs, says where it is read, and gives nobody the candidate', async () => {
      const model = await aModel();
      const answer = await startOf(model);
      expect(answer.status).toBe(202);
      const release = answer.json<ReleaseStartedJson>();
      expect(answer.header('location')).toBe(`/control/v1/releases/${release.id}`);
      expect(release).toMatchObject({
        model,
        stable: '1',
        candidate: '2',
        serving: '1',
        state: 'gated',
        step: 1,
        steps: 2,
        approvals: [],
        approvals_needed: 2,
        weight_percent: 0,
        shadow_percent: 0,
        verdict: null,
        golden: 'answers 1 of 1 golden inputs as version 1 does',
        golden_report: { compared: 1, agree: 1 },
      });
      expect(release.time_left_ms).toBeGreaterThan(6 * 86_400_000);
      const { golden, golden_report: _, ...same } = release;
      const found = await read(release.id);
      expect(found).toMatchObject({ ...same, time_left_ms: expect.any(Number), epoch: expect.any(Number) });
      expect(found.numbers).toBeNull();
      expect((await auditsOf(release.id)).slice(0, 2)).toMatchObject([
        { by: 'sluice', what: 'compared on golden pairs', why: golden },
        { by: release.started_by, what: 'gate of step 1 waits', why: 'it is better' },
      ]);
    });

    test('takes the plan of the candidate\u2019s manifest, or the default one', async () => {
      const planned = await aModel(2, { manifest: { release: { ...GATED, assignBy: 'tenant' } } });
      const own = (await startOf(planned, { plan: undefined })).json<ReleaseJson>();
      expect(own.plan).toMatchObject({ assignBy: 'tenant', steps: [{ gate: { people: 2 } }, { setWeight: 100 }] });
      const plain = (await startOf(await aModel(), { plan: undefined })).json<ReleaseJson>();
      expect(plain.plan.steps).toMatchObject([
        { shadow: 10 },
        { setWeight: 5 },
        { setWeight: 25 },
        { setWeight: 50 },
        { setWeight: 100 },
      ]);
    });

    test('says so where there is nothing to compare by', async () => {
      const model = 'without-golden';
      await addTo(model, { goldenDigest: undefined });
      await addTo(model);
      await serveFirst(running.region().platform, { model, version: '1' });
      expect((await startOf(model)).json()).toMatchObject({
        golden: 'version 1 has no golden pairs to compare by',
        golden_report: null,
      });
    });

    test('is refused for what is not there, and for what is stable already', async () => {
      const model = await aModel();
      expectProblem(await startOf('no-such-model'), 'model-unknown', { field: 'model' });
      expectProblem(await startOf(model, { version: '9' }), 'version-unknown', { field: 'version' });
      expectProblem(await startOf(model, { version: '1' }), 'state-conflict', { field: 'version' });
      await addTo('never-stable');
      expectProblem(await startOf('never-stable', { version: '1' }), 'state-conflict', { field: 'version' });
    });

    test('lists every mistake of a plan at once, tenants and plans that are not there too', async () => {
      const model = await aModel();
      const wrong = { steps: [{ setWeight: 50, pauze: 1 }, { setWeight: 20 }], watch: { minutes: 5 } };
      const mistakes = expectProblem(await startOf(model, { plan: wrong }), 'release-plan-invalid');
      expect(mistakes.problems).toEqual([
        expect.stringContaining('steps.0.pauze'),
        expect.stringContaining('watch.minutes'),
        'steps.1: setWeight grows: 20 is not above 50',
        'steps.1: the last step is setWeight: 100',
      ]);
      const steps = [{ setWeight: { tenants: ['nobody'] } }, { setWeight: { plans: ['gold'] } }, { setWeight: 100 }];
      const named = expectProblem(await startOf(model, { plan: { steps } }), 'release-plan-invalid');
      expect(named.problems).toEqual([
        'steps.0.setWeight.tenants: there is no tenant nobody',
        'steps.1.setWeight.plans: there is no plan gold',
      ]);
      expect((await ann.get(`/control/v1/models/${model}/releases`)).json()).toMatchObject({ items: [] });
    });

    test.each([
      ['without a reason', { reason: undefined }, 'request-invalid', 'reason'],
      ['with an empty one', { reason: ' ' }, 'request-invalid', 'reason'],
      ['without a version', { version: undefined }, 'request-invalid', 'version'],
      ['with a plan that is none', { plan: 'fast' }, 'request-invalid', 'plan'],
      ['with an unknown member', { weight: 5 }, 'field-unknown', 'weight'],
    ] as const)('%s is refused', async (_, body, code, field) => {
      expectProblem(await startOf('constant-answer', body), code, { field });
    });

    test('of a version that callers of the stable one could not call is refused, with every difference', async () => {
      const { signature } = (await running.region().platform.registry.readVersion('echo', '1'))!;
      const model = await aModel(2, { signature });
      const { problems } = expectProblem(await startOf(model), 'release-incompatible', { field: 'version' });
      expect(problems).toEqual([
        'inputs: it takes text BYTES instead of x FP32',
        expect.stringContaining('outputs: it does not give sum'),
      ]);
    });

    test('is refused while another release is active, with its id; of two at once one wins', async () => {
      const model = await aModel(3);
      const answers = await Promise.all(['2', '3', '2'].map((version) => startOf(model, { version })));
      const [winner, ...more] = answers.filter(({ status }) => status === 202);
      expect(more).toEqual([]);
      const { id } = winner!.json<ReleaseJson>();
      for (const answer of answers.filter(({ status }) => status === 409))
        expectProblem(answer, 'state-conflict', { release: id });
      expectProblem(await startOf(model, { version: '3' }), 'state-conflict', { release: id });
      await applied(id, { verb: 'abort' });
      expect((await startOf(model, { version: '3' })).status).toBe(202);
    });

    test('with an Idempotency-Key happens once', async () => {
      const model = await aModel(3);
      const headers = { 'Idempotency-Key': '"build 7"' };
      const first = (await startOf(model, {}, ann, headers)).json<ReleaseStartedJson>();
      const again = await startOf(model, {}, ann, headers);
      expect(again.status).toBe(202);
      expect(again.json()).toMatchObject({ id: first.id, golden: first.golden, golden_report: null });
      expectProblem(await startOf(model, { version: '3' }, ann, headers), 'idempotency-key-reused');
      expectProblem(await startOf(model, {}, bob, headers), 'state-conflict', { release: first.id });
    });
  });

  describe('verbs', () => {
    test('a gate for two lets two different people through, and nobody twice', async () => {
      const id = await started(await aModel());
      const once = await applied(id, { verb: 'approve' });
      expect(once).toMatchObject({ state: 'gated', applied: true, approvals: [expect.stringMatching(/^key:/)] });
      expect(await applied(id, { verb: 'approve' })).toMatchObject({ state: 'gated', applied: false });
      const twice = await applied(id, { verb: 'approve' }, bob);
      expect(twice).toMatchObject({ applied: true, step: 2 });
      expect(['scaling', 'watching']).toContain(twice.state);
    });

    test('are done once for each id, of the body or the header, and ids are each person\u2019s own', async () => {
      const id = await started(await aModel());
      expect(await applied(id, { verb: 'approve', id: 'one' })).toMatchObject({ applied: true, epoch: 2 });
      expect(await applied(id, { verb: 'approve', id: 'one' })).toMatchObject({ applied: false, epoch: 2 });
      expect(await applied(id, { verb: 'pause', id: 'two' })).toMatchObject({ applied: true, paused_from: 'gated' });
      await applied(id, { verb: 'resume' });
      // What comes late is not done a second time.
      expect(await applied(id, { verb: 'pause', id: 'two' })).toMatchObject({ applied: false, state: 'gated' });
      const header = { 'Idempotency-Key': 'one' };
      expect((await verb(id, { verb: 'approve' }, ann, header)).json()).toMatchObject({ applied: false });
      expect((await verb(id, { verb: 'approve' }, bob, header)).json()).toMatchObject({ applied: true, step: 2 });
    });

    test('that the state does not allow are refused with what it waits for', async () => {
      const id = await started(await aModel());
      const refused = async (body: object, why: string) => {
        const problem = expectProblem(await verb(id, body), 'release-verb-refused', { state: 'gated' });
        expect(problem.detail).toBe(why);
      };
      await refused({ verb: 'promote' }, 'the gate is to be approved');
      await refused({ verb: 'promote-full' }, 'it cannot be promoted to everybody while gated');
      await refused({ verb: 'resume' }, 'it is not paused');
      await refused({ verb: 'retry' }, 'only what was rolled back to stable is tried again');
      await applied(id, { verb: 'pause' });
      expectProblem(await verb(id, { verb: 'approve' }), 'release-verb-refused', { state: 'paused' });
      expect((await read(id)).epoch).toBe(2);
    });

    test.each([
      ['no verb', {}, 'request-invalid', 'verb'],
      ['one that is none', { verb: 'launch' }, 'request-invalid', 'verb'],
      ['no reason', { verb: 'abort', reason: undefined }, 'request-invalid', 'reason'],
      ['a version for a pause', { verb: 'pause', version: '1' }, 'request-invalid', 'version'],
      ['an attempt for an abort', { verb: 'abort', attempt: 1 }, 'request-invalid', 'attempt'],
      ['an unknown member', { verb: 'abort', force: true }, 'field-unknown', 'force'],
    ] as const)('with %s are refused', async (_, body, code, field) => {
      expectProblem(await verb(NOBODY, body), code, { field });
    });

    test('of a release that is not there are refused', async () => {
      for (const id of [NOBODY, 'rel_1', '7']) {
        expectProblem(await verb(id, { verb: 'abort' }), 'release-unknown');
        expectProblem(await ann.get(`/control/v1/releases/${id}`), 'release-unknown');
        expectProblem(await ann.get(`/control/v1/releases/${id}/audits`), 'release-unknown');
      }
    });

    test('an abort rolls back and stays so, a retry starts over, and late ones change nothing', async () => {
      const id = await started(await aModel());
      const aborted = await applied(id, { verb: 'abort', reason: 'a bad feeling' });
      expect(aborted).toMatchObject({ state: 'rolled-back', why: 'a bad feeling', step: null, serving: '1' });
      expect(aborted.ended_at_ms).toBeGreaterThan(0);
      expect(await applied(id, { verb: 'abort' })).toMatchObject({ applied: false, why: 'a bad feeling' });
      expectProblem(await verb(id, { verb: 'approve' }), 'release-verb-refused', { state: 'rolled-back' });
      expect(await applied(id, { verb: 'retry', attempt: 1 })).toMatchObject({ state: 'gated', attempt: 2 });
      expectProblem(await verb(id, { verb: 'retry', attempt: 1 }), 'release-verb-refused');
    });

    test('an abort wins against whatever comes at the same moment', async () => {
      const id = await started(await aModel());
      const verbs = ['pause', 'abort', 'resume', 'approve', 'promote', 'abort', 'approve'];
      await Promise.all(verbs.map((each, at) => verb(id, { verb: each }, at % 2 === 0 ? ann : bob)));
      expect(await read(id)).toMatchObject({ state: 'rolled-back', weight_percent: 0, serving: '1' });
    });

    test('an undo goes to any version that is kept', async () => {
      const id = await started(await aModel(3));
      expectProblem(await verb(id, { verb: 'undo', version: '9' }), 'version-unknown', { field: 'version' });
      const undone = await applied(id, { verb: 'undo', version: '3' });
      expect(['undoing', 'rolled-back']).toContain(undone.state);
      expect(await applied(id, { verb: 'undo', version: '3' })).toMatchObject({ applied: false });
    });

    test('of what has ended are refused once a later release decides', async () => {
      const model = await aModel(3);
      const first = await started(model);
      await applied(first, { verb: 'abort' });
      const second = await started(model, { version: '3' });
      await applied(second, { verb: 'abort' });
      for (const each of ['retry', 'undo'])
        expectProblem(await verb(first, { verb: each, version: each === 'undo' ? '2' : undefined }), 'state-conflict', {
          release: second,
        });
      expect(await applied(second, { verb: 'retry' })).toMatchObject({ attempt: 2 });
    });
  });

  test('every verb is told of: who, what, when and why, in pages and in order', async () => {
    const id = await started(await aModel());
    await applied(id, { verb: 'pause', reason: 'lunch' });
    await applied(id, { verb: 'resume', reason: 'after lunch' }, bob);
    await applied(id, { verb: 'abort', reason: 'enough' });
    const items = await auditsOf(id);
    expect(items.map(({ what, why }) => [what, why])).toEqual([
      ['compared on golden pairs', expect.any(String)],
      ['gate of step 1 waits', 'it is better'],
      ['paused', 'lunch'],
      ['resumed', 'after lunch'],
      ['rolled back', 'enough'],
    ]);
    expect(items[2]!.by).toBe((await read(id)).started_by);
    expect(items[3]!.by).not.toBe(items[2]!.by);
    expect(items.map(({ at_ms: atMs }) => atMs)).toEqual(items.map(({ at_ms: atMs }) => atMs).toSorted());
    const paged: ReleaseAuditJson[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await ann.get(`/control/v1/releases/${id}/audits?limit=2${after}`);
      const { items: some, next } = page.json<{ items: ReleaseAuditJson[]; next: string | null }>();
      paged.push(...some);
      cursor = next;
    }
    expect(paged).toEqual(items);
  });

  test('releases of a model are listed, the newest first', async () => {
    const model = await aModel(3);
    const first = await started(model);
    await applied(first, { verb: 'abort' });
    const second = await started(model, { version: '3' });
    const { items } = (await ann.get(`/control/v1/models/${model}/releases`)).json<{ items: ReleaseJson[] }>();
    expect(items.map(({ id, state }) => [id, state])).toEqual([
      [second, 'gated'],
      [first, 'rolled-back'],
    ]);
    expectProblem(await ann.get('/control/v1/models/none/releases'), 'model-unknown');
  });

  test('releases of all models are listed together, the newest start first, all of them or those under way', async () => {
    const [one, two] = [await started(await aModel()), await started(await aModel())];
    await applied(two, { verb: 'abort' });
    const three = await started(await aModel());
    type Releases = { items: ReleaseJson[]; next: string | null };
    const list = async (query: string) => (await ann.get(`/control/v1/releases?${query}`)).json<Releases>();
    const all = await list('limit=2');
    expect(all.items.map(({ id, state }) => [id, state])).toEqual([
      [three, 'gated'],
      [two, 'rolled-back'],
    ]);
    const next = encodeURIComponent(all.next!);
    expect((await list(`limit=2&cursor=${next}`)).items[0]).toMatchObject({ id: one });
    const active = await list('state=active&limit=1');
    expect(active.items).toMatchObject([{ id: three }]);
    const more = await list(`state=active&limit=1&cursor=${encodeURIComponent(active.next!)}`);
    expect(more.items).toMatchObject([{ id: one }]);
    expectProblem(await ann.get('/control/v1/releases?state=open'), 'request-invalid', { field: 'state' });
  });

  test('a release tells what each verb would do now, to whoever asks', async () => {
    const id = await started(await aModel());
    await applied(id, { verb: 'approve' });
    const approve = async (caller: ApiClient) => {
      const { options } = (await caller.get(`/control/v1/releases/${id}`)).json<ReleaseDetailJson>();
      return options.find((option) => option.verb === 'approve');
    };
    expect(await approve(ann)).toMatchObject({ refused: expect.stringContaining('another person'), after: null });
    const forBob = await approve(bob);
    expect(forBob).toMatchObject({ refused: null, after: { step: 2, tenants: [], plans: [] } });
    expect(['scaling', 'watching']).toContain(forBob!.after!.state);
    const { options, segments } = await read(id);
    expect(options.find((option) => option.verb === 'abort')?.after).toMatchObject({
      state: 'rolled-back',
      serving: '1',
      weight_percent: 0,
    });
    expect(segments).toEqual([]);
    expect((await read(id)).epoch).toBe(2);
  });

  test('models are found by the beginning of their names, and their versions from the newest down', async () => {
    for (const name of ['found-a', 'found-b', 'found.c']) await addTo(name);
    const found = async (query: string) => {
      const answer = await ann.get(`/control/v1/models?${query}`);
      return answer.json<{ items: { model: string }[]; next: string | null }>();
    };
    const first = await found('prefix=found&limit=2');
    expect(first.items.map(({ model }) => model)).toEqual(['found-a', 'found-b']);
    const rest = await found(`prefix=found&limit=2&cursor=${encodeURIComponent(first.next!)}`);
    expect(rest).toMatchObject({ items: [{ model: 'found.c' }], next: null });
    expect((await found('prefix=found-b')).items).toMatchObject([{ model: 'found-b' }]);
    expect((await found('prefix=found~')).items).toEqual([]);
    const model = await aModel(3);
    const down = (await ann.get(`/control/v1/models/${model}/versions?order=newest&limit=2`)).json<{
      items: { version: string }[];
      next: string;
    }>();
    expect(down.items.map(({ version }) => version)).toEqual(['3', '2']);
    const last = await ann.get(`/control/v1/models/${model}/versions?order=newest&limit=2&cursor=${down.next}`);
    expect(last.json()).toMatchObject({ items: [{ version: '1' }], next: null });
    const route = async () => (await ann.get(`/control/v1/models/${model}`)).json();
    expect(await route()).toMatchObject({ model, stable: '1', newest: '3', active_release: null });
    const id = await started(model);
    expect(await route()).toMatchObject({ stable: '1', active_release: id });
    expectProblem(await ann.get('/control/v1/models/nobody'), 'model-unknown', { field: 'model' });
  });

  test('the stable version is not set by hand while a release decides', async () => {
    const model = await aModel(3);
    const put = (version: string) => ann.send('PUT', `/control/v1/models/${model}/stable`, { body: { version } });
    const id = await started(model);
    expectProblem(await put('3'), 'state-conflict', { release: id });
    expectProblem(await put('2'), 'state-conflict', { release: id });
    await applied(id, { verb: 'abort' });
    // Whoever would have it has just been rolled back.
    expectProblem(await put('2'), 'state-conflict', { release: id });
    expect((await put('3')).json()).toMatchObject({ stable: '3' });
    expectProblem(await verb(id, { verb: 'retry' }), 'state-conflict');
  });

  test('are for operators', async () => {
    const id = await started(await aModel());
    const admin = await running.addTenant('curious');
    const calls: readonly Promise<Answer>[] = [
      startOf('constant-answer', {}, admin),
      admin.get('/control/v1/models/constant-answer/releases'),
      admin.get('/control/v1/releases'),
      admin.get('/control/v1/models'),
      admin.get('/control/v1/models/constant-answer'),
      admin.get(`/control/v1/releases/${id}`),
      admin.get(`/control/v1/releases/${id}/audits`),
      verb(id, { verb: 'abort' }, admin),
      admin.send('PUT', '/control/v1/tenants/curious/pins/echo', { body: { version: '1' } }),
    ];
    for (const call of calls) expectProblem(await call, 'forbidden', { required_role: 'operator' });
    expect((await read(id)).state).toBe('gated');
  });

  test('a pin keeps a tenant on its version, whoever is stable, until it is removed', async () => {
    const tenant = await running.addTenant('pinned');
    await running.push(withManifest(constantAnswer(1), { name: 'pinnable' }));
    await running.push(withManifest(constantAnswer(2), { name: 'pinnable' }));
    const pin = (model: string, version: string) =>
      ann.send('PUT', `/control/v1/tenants/pinned/pins/${model}`, { body: { version } });
    expectProblem(await pin('pinnable', '9'), 'version-unknown');
    expectProblem(await pin('none', '1'), 'version-unknown');
    expect((await pin('echo', '1')).json()).toMatchObject({ pins: { echo: '1' } });
    expect((await pin('pinnable', '2')).json()).toMatchObject({ pins: { echo: '1', pinnable: '2' } });
    const answer = async () => firstOutput(await tenant.infer('pinnable', fourOf(1)));
    await expect.poll(answer, { timeout: 3000 }).toEqual([2]);
    const removed = await ann.send('DELETE', '/control/v1/tenants/pinned/pins/pinnable');
    expect(removed.json()).toMatchObject({ pins: { echo: '1' } });
    await expect.poll(answer, { timeout: 3000 }).toEqual([1]);
  });
}
