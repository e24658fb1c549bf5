import { type Answer, type ApiClient, inferPath } from './http-client.ts';
import type { Leak, MarkerRun } from './markers.ts';
import { TRIAL, trialOf } from './trial-model.ts';

export type MarkedTenant = { readonly id: string; readonly client: ApiClient };

/** One exchange: what its caller sent of its own, and every answer that it got. */
export type Exchange = {
  readonly tenant: string;
  readonly own: readonly string[];
  readonly answers: readonly Answer[];
};

type Kind = (tenant: MarkedTenant, marks: MarkerRun) => Promise<Exchange>;

const OUTPUTS = { outputs: [{ name: 'echo' }] };

async function once(tenant: MarkedTenant, marks: MarkerRun, n: number, headers: Record<string, string> = {}) {
  const [text, id] = [marks.next(tenant.id), marks.next(tenant.id)];
  const answer = await tenant.client.infer('trial', trialOf(text, n), { headers, members: { ...OUTPUTS, id } });
  const place = answer.status === 202 ? answer.header('location') : undefined;
  const answers = place === undefined ? [answer] : [answer, await tenant.client.result(place)];
  return { tenant: tenant.id, own: [text, id], answers };
}

/** The ways that a payload can go. */
export const KINDS = {
  answered: (tenant, marks) => once(tenant, marks, TRIAL.answers),
  accepted: (tenant, marks) => once(tenant, marks, TRIAL.answers, { prefer: 'respond-async' }),
  'accepted late': (tenant, marks) => once(tenant, marks, TRIAL.answers, { prefer: 'wait=0' }),
  refused: (tenant, marks) => once(tenant, marks, TRIAL.isRefused),
  'accepted and refused': (tenant, marks) => once(tenant, marks, TRIAL.isRefused, { prefer: 'respond-async' }),
  crashed: (tenant, marks) => once(tenant, marks, TRIAL.crashes),
  async binary(tenant, marks) {
    const text = marks.next(tenant.id);
    const size = text.length + 4;
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(text.length);
    const [input, n] = trialOf('');
    const { data: _, ...described } = { ...input!, parameters: { binary_data_size: size } };
    const outputs = [{ name: 'echo', parameters: { binary_data: true } }];
    const json = Buffer.from(JSON.stringify({ inputs: [described, n], outputs }));
    const headers = { 'Inference-Header-Content-Length': String(json.length) };
    const body = Buffer.concat([json, prefix, Buffer.from(text)]);
    return {
      tenant: tenant.id,
      own: [text],
      answers: [await tenant.client.send('POST', inferPath('trial'), { body, headers })],
    };
  },
  async repeated(tenant, marks) {
    const [text, key] = [marks.next(tenant.id), marks.next(tenant.id)];
    const options = { headers: { 'Idempotency-Key': key }, members: OUTPUTS };
    const answers = [];
    for (let i = 0; i < 2; i += 1) answers.push(await tenant.client.infer('trial', trialOf(text), options));
    return { tenant: tenant.id, own: [text, key], answers };
  },
  async 'hung up'(tenant, marks) {
    const text = marks.next(tenant.id);
    const gone = new AbortController();
    const call = tenant.client.infer('trial', trialOf(text), { signal: gone.signal, members: OUTPUTS });
    setImmediate(() => gone.abort());
    return {
      tenant: tenant.id,
      own: [text],
      answers: await call.then(
        (answer) => [answer],
        () => [],
      ),
    };
  },
  async invalid(tenant, marks) {
    const [text, field, model] = [marks.next(tenant.id), marks.next(tenant.id), marks.next(tenant.id)];
    const answers = [
      await tenant.client.infer('trial', [{ ...trialOf(text)[0]!, data: [text, text] }, trialOf('')[1]!]),
      await tenant.client.infer('trial', trialOf(text), { members: { [field]: text } }),
      await tenant.client.infer('trial', trialOf(text), { members: { outputs: [{ name: field }] } }),
      await tenant.client.send('POST', inferPath('trial'), { body: `{"inputs": ${text}` }),
      await tenant.client.get(`/v2/models/${model}?note=${text}`, { 'x-note': text, 'user-agent': text }),
    ];
    return { tenant: tenant.id, own: [text, field, model], answers };
  },
} satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

/** Sends `counts` of each kind for every tenant, all mixed, `lanes` at a time. */
export async function sendMarked(
  tenants: readonly MarkedTenant[],
  marks: MarkerRun,
  counts: Readonly<Partial<Record<KindName, number>>>,
  lanes = 48,
): Promise<Exchange[]> {
  const calls: (() => Promise<Exchange>)[] = [];
  for (const [kind, count] of Object.entries(counts) as [KindName, number][]) {
    for (const tenant of tenants) for (let i = 0; i < count; i += 1) calls.push(() => KINDS[kind](tenant, marks));
  }
  shuffle(calls);
  const exchanges: Exchange[] = [];
  const lane = async () => {
    for (let call = calls.pop(); call !== undefined; call = calls.pop()) exchanges.push(await call());
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return exchanges;
}

/** Markers of others in answers, and answers with the echo of anything but what was sent. */
export function leaksInAnswers(exchanges: readonly Exchange[], marks: MarkerRun): Leak[] {
  return exchanges.flatMap(({ tenant, own, answers }) =>
    answers.flatMap((answer) => {
      const where = `answer ${answer.status} to ${tenant}`;
      const headers = [...answer.headers].flat().join('\n');
      const leaks = [...marks.foreign(where, answer.text, own), ...marks.foreign(where, headers, [])];
      if (answer.status === 200 && !answer.text.includes(own[0]!))
        leaks.push({ where, what: 'its own marker is missing' });
      return leaks;
    }),
  );
}

function shuffle(items: unknown[]): void {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [items[i], items[j]] = [items[j], items[i]];
  }
}
