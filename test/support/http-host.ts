import { dirname } from 'node:path';
import { openDirectory } from '../../adapters/local/open-region.ts';
import { createTokenizers } from '../../adapters/tokenizers/tokenizers.ts';
import { matchRoute } from '../../core/api/match-route.ts';
import { Failure } from '../../core/failure.ts';
import type { Gateway } from '../../core/inference/gateway.ts';
import type { Caller, InferAnswer, InferCall, QuotaState } from '../../core/inference/request.ts';
import type { ForwardedAnswer, ForwardedRequest } from '../../core/ports/forwarder.ts';
import { createTenant } from '../../core/tenancy/manage-tenants.ts';
import { DEFAULT_PLANS } from '../../core/tenancy/plan.ts';
import type { Principal } from '../../core/tenancy/principal.ts';
import type { WrongRegion } from '../../core/tenancy/tenant.ts';
import { ApiEvent, type EventBody, NO_BODY } from '../../embedded/api-event.ts';
import { createHttp, type HttpHandlers } from '../../lambdas/http/handlers.ts';
import type { ModelHost } from '../../lambdas/http/host.ts';
import type { Invocation } from '../../lambdas/middleware/http-handler.ts';
import { type LocalPlatform, openLocalPlatform, TEST_REGION } from './local-platform.ts';

export const QUOTA: QuotaState = { policy: 'requests', limit: 400, windowS: 2, remaining: 399, resetS: 1 };

export type CallOptions = {
  /** Who the credential `as` turns out to be; undefined: nobody. */
  readonly as?: Principal;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | EventBody;
  readonly invocation?: Partial<Invocation>;
};

export type Answered = { readonly status: number; readonly headers: Record<string, string>; readonly text: string };

/**
 * The handlers of region `us` over local adapters, with a gateway and an identity that do what the test says. Region `eu`
 * is behind a forwarder that only keeps what it was given.
 */
export class TestHost {
  readonly local: LocalPlatform;
  readonly host: ModelHost;
  readonly inferred: InferCall[] = [];
  readonly forwarded: ForwardedRequest[] = [];
  /** What the gateway answers to infer. */
  infer: (call: InferCall) => Promise<InferAnswer> = () => Promise.reject(new Failure('model-unknown'));
  takeRequest: (caller: Caller) => QuotaState | Promise<QuotaState> = () => QUOTA;
  forward: () => Promise<ForwardedAnswer> = () => Promise.reject(new Failure('region-unavailable'));
  readonly #http: HttpHandlers;
  readonly #directory: ReturnType<typeof openDirectory>;
  #asker: Principal | undefined;

  constructor(local: LocalPlatform, corsOrigins: readonly string[]) {
    this.local = local;
    this.#directory = openDirectory(dirname(local.folder));
    this.host = {
      ...local.ports,
      config: {
        region: TEST_REGION,
        regionUrls: { us: 'http://us.test', eu: 'http://eu.test' },
        corsOrigins,
        pools: ['default'],
        usdPerComputeHour: 0.05,
      },
      clock: local.clock,
      log: local.log,
      directory: this.#directory,
      identity: {
        authenticate: async () => this.#authenticate(),
        issueBrowserToken: () => Promise.reject(new Error()),
      },
      forwarder: {
        forward: (request) => {
          this.forwarded.push(request);
          return this.forward();
        },
      },
      sandbox: { load: async () => ({ kind: 'refused', reason: 'nothing is loaded here' }) },
      tokenizers: createTokenizers(local.ports.artifacts),
      webhookSender: { check: async () => {}, post: async () => ({ kind: 'failed', reason: 'unreachable' }) },
      gateway: this.#gateway(),
    };
    this.#http = createHttp(this.host);
  }

  /** A tenant of this region, plan pro. */
  async addTenant(id: string, allowedOrigins: readonly string[] = []): Promise<void> {
    const spec = { id, name: id, plan: 'pro', region: undefined, overrides: {}, allowedOrigins };
    await createTenant(this.host, { ...spec, wrongRegion: 'refuse' });
  }

  /** A tenant whose home is eu. */
  addForeignTenant(tenant: string, wrongRegion: WrongRegion): Promise<void> {
    return this.#directory.put({ tenant, region: 'eu', wrongRegion });
  }

  async call(method: string, target: string, options: CallOptions = {}): Promise<Answered> {
    const [path = '', query = ''] = target.split('?', 2);
    this.#asker = options.as;
    const match = matchRoute(method, path);
    const { handler, resource, params } =
      typeof match === 'object' && 'route' in match
        ? { handler: this.#http.routes[match.route.id], resource: match.route.path, params: match.params }
        : { handler: method === 'OPTIONS' ? this.#http.preflight : this.#http.refuse, resource: path, params: null };
    const rawHeaders = Object.entries(options.headers ?? {}).flat();
    const head = { method, path, query, rawHeaders, sourceIp: '127.0.0.1', requestId: 'req_1', arrivedAtMs: 0 };
    const { body = NO_BODY } = options;
    const event = new ApiEvent(
      head,
      { resource, params },
      typeof body === 'string' ? { text: body, isBase64: false } : body,
    );
    const answer = await handler(event, { requestId: 'req_1', ...options.invocation });
    const parts: Uint8Array[] = [];
    const { body: out } = answer;
    if (typeof out === 'string' || out instanceof Uint8Array) parts.push(Buffer.from(out));
    else for await (const part of out) parts.push(part);
    return { status: answer.status, headers: answer.headers, text: Buffer.concat(parts).toString() };
  }

  async close(): Promise<void> {
    this.#directory.close();
    await this.local.close();
  }

  #authenticate(): Principal {
    if (this.#asker === undefined) throw new Failure('credentials-missing');
    return this.#asker;
  }

  #gateway(): Gateway {
    const limits = DEFAULT_PLANS[1]!.limits;
    return {
      identify: async (principal, named) => {
        const tenant = await this.local.ports.registry.readTenant(principal.tenant ?? named ?? '');
        if (tenant === undefined) throw new Failure('tenant-unknown');
        return { principal, tenant, limits };
      },
      takeRequest: (caller) => this.takeRequest(caller),
      infer: (call) => {
        this.inferred.push(call);
        return this.infer(call);
      },
      readPrediction: () => Promise.reject(new Failure('prediction-unknown')),
      cancelPrediction: () => Promise.reject(new Failure('prediction-unknown')),
      giveFeedback: () => Promise.reject(new Failure('prediction-unknown')),
      resolveVersion: () => Promise.reject(new Failure('model-unknown')),
      isReady: async () => true,
      accepting: () => true,
      stopAccepting: () => {},
    };
  }
}

export async function openTestHost(corsOrigins: readonly string[] = []): Promise<TestHost> {
  const local = await openLocalPlatform();
  for (const plan of DEFAULT_PLANS) await local.ports.registry.writePlan(plan);
  return new TestHost(local, corsOrigins);
}
