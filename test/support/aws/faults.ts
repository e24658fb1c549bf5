import { seededRandom } from '../../../core/seeded-random.ts';
import type { Cloud } from './cloud.ts';
import { type Judge, type ServiceCall, ServiceProxy } from './service-proxy.ts';

/** Faults of services, each with its share of the calls that it can strike. */
const SHARES = {
  'dynamo throttled': 0.02,
  'dynamo broke': 0.01,
  'dynamo unheard': 0.01,
  'dynamo lost': 0.005,
  'sqs throttled': 0.02,
  'sqs broke': 0.02,
  'sqs unheard': 0.02,
  'delivered twice': 0.08,
  'delivered late': 0.1,
  'visible too soon': 0.15,
  'kms broke': 0.1,
  's3 broke': 0.2,
} as const;

export type FaultKind = keyof typeof SHARES;

export const FAULT_KINDS = Object.keys(SHARES) as FaultKind[];

type Proxies = Readonly<Record<'dynamo' | 'sqs' | 's3' | 'kms', ServiceProxy>>;

/** Seeded faults between the deployed platform and its services, each counted. */
export class Faults {
  readonly counts: Record<FaultKind, number>;
  /** Asked for each message that is sent, which is of a job that was written; true: it is lost with who sends it. */
  onSend: () => boolean = () => false;
  isOn = false;
  readonly #random: () => number;
  readonly #proxies: Proxies;

  private constructor(seed: number, proxies: Proxies) {
    this.#random = seededRandom(seed);
    this.#proxies = proxies;
    this.counts = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
    proxies.dynamo.judge = this.#whileOn(() => this.#dynamo());
    proxies.sqs.judge = this.#whileOn((call) => this.#sqs(call));
    proxies.kms.judge = this.#whileOn(() => (this.#strikes('kms broke') ? broke('KMSInternalException') : 'done'));
    proxies.s3.judge = this.#whileOn(() => (this.#strikes('s3 broke') ? 'lost' : 'done'));
  }

  static async start({ endpoints }: Cloud, seed: number): Promise<Faults> {
    const [dynamo, sqs, s3, kms] = await Promise.all(
      [endpoints.dynamo, endpoints.sqs, endpoints.s3, endpoints.kms].map((url) => ServiceProxy.start(url)),
    );
    return new Faults(seed, { dynamo: dynamo!, sqs: sqs!, s3: s3!, kms: kms! });
  }

  /** Where functions and workers are to find the services. */
  get endpoints() {
    const { dynamo, sqs, s3, kms } = this.#proxies;
    return { dynamo: dynamo.url, sqs: sqs.url, s3: s3.url, kms: kms.url };
  }

  stop(): void {
    for (const proxy of Object.values(this.#proxies)) proxy.stop();
  }

  #whileOn(judge: Judge): Judge {
    return (call) => (this.isOn ? judge(call) : 'done');
  }

  #dynamo() {
    if (this.#strikes('dynamo throttled')) return { status: 400, error: 'ProvisionedThroughputExceededException' };
    if (this.#strikes('dynamo broke')) return broke('InternalServerError');
    if (this.#strikes('dynamo unheard')) return 'unheard';
    return this.#strikes('dynamo lost') ? 'lost' : 'done';
  }

  #sqs(call: ServiceCall) {
    if (this.#strikes('sqs throttled')) return { status: 400, error: 'RequestThrottled' };
    if (this.#strikes('sqs broke')) return broke('InternalError');
    if (call.operation === 'SendMessage') return this.#send(call);
    if (call.operation === 'ReceiveMessage') {
      if (this.#strikes('visible too soon')) change(call, { VisibilityTimeout: 1 });
      return 'done';
    }
    return this.#strikes('sqs unheard') ? 'unheard' : 'done';
  }

  #send(call: ServiceCall) {
    if (this.onSend()) return 'lost';
    if (this.#strikes('delivered late')) change(call, { DelaySeconds: 1 + Math.floor(this.#random() * 3) });
    if (this.#strikes('delivered twice')) return 'twice';
    return this.#strikes('sqs unheard') ? 'unheard' : 'done';
  }

  #strikes(kind: FaultKind): boolean {
    const struck = this.#random() < SHARES[kind];
    if (struck) this.counts[kind] += 1;
    return struck;
  }
}

function broke(error: string) {
  return { status: 500, error };
}

function change(call: ServiceCall, members: object): void {
  call.body = Buffer.from(JSON.stringify({ ...(JSON.parse(call.body.toString()) as object), ...members }));
}
