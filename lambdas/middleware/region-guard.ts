import { asFailure } from '../../core/failure.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { parseApiKey } from '../../core/tenancy/api-key.ts';
import { decideElsewhere, wrongRegion } from '../../core/tenancy/wrong-region.ts';
import type { Exchange, Middleware, Step } from './exchange.ts';
import type { HttpAnswer } from './http-handler.ts';

type RegionPorts = Pick<Platform, 'config' | 'directory' | 'forwarder'>;

/** Stops a second hop. */
const FORWARDED = 'Sluice-Forwarded';
const TO_UTF8 = new TextEncoder();

/**
 * Sends home what belongs to another region: by the prefix of an API key before anything is verified, by the tenant of a
 * verified token once it turns out not to live here. Refused with 421, or as the tenant opted in redirected or forwarded.
 */
export function regionGuard(ports: RegionPorts): Middleware {
  const ownKey = `Bearer slk_${ports.config.region}_`;
  return {
    before({ event: exchange }) {
      const { authorization } = exchange.headers;
      if (authorization === undefined || authorization.startsWith(ownKey)) return;
      return refuseForeignKey(ports, exchange, authorization);
    },
    async onError(step) {
      const { event: exchange } = step;
      try {
        exchange.elsewhere ??= await findHome(ports, step);
        if (exchange.elsewhere !== undefined) await answerElsewhere(ports, step, exchange.elsewhere);
      } catch (error) {
        step.error = asFailure(error);
      }
    },
  };
}

/** A key that names a region which does not exist, or another than its tenant's, is left to authentication to refuse. */
async function refuseForeignKey({ config, directory }: RegionPorts, exchange: Exchange, authorization: string) {
  const key = parseApiKey(authorization.replace(/^bearer +/i, ''));
  if (key === undefined || key.region === config.region || config.regionUrls[key.region] === undefined) return;
  const entry = key.tenant === undefined ? undefined : await directory.lookup(key.tenant);
  const home = entry?.region ?? key.region;
  if (home === config.region) return;
  exchange.elsewhere = { region: home, wrongRegion: entry?.wrongRegion ?? 'refuse', forwarded: false };
  throw wrongRegion(config, home);
}

/** Where the tenant lives that was not found here. What an operator names is refused, never passed on with its credentials. */
async function findHome({ config, directory }: RegionPorts, { event: exchange, error }: Step) {
  if (error == null || asFailure(error).code !== 'tenant-unknown') return undefined;
  const own = exchange.principal?.tenant;
  const tenant = own ?? exchange.namedTenant;
  const entry = tenant === undefined ? undefined : await directory.lookup(tenant);
  if (entry === undefined || entry.region === config.region) return undefined;
  return {
    region: entry.region,
    wrongRegion: own === undefined ? 'refuse' : entry.wrongRegion,
    forwarded: false,
  } as const;
}

async function answerElsewhere(
  ports: RegionPorts,
  step: Step,
  home: NonNullable<Exchange['elsewhere']>,
): Promise<void> {
  const { event: exchange } = step;
  step.error = wrongRegion(ports.config, home.region);
  const forwardedBefore = exchange.headers[FORWARDED.toLowerCase()] !== undefined;
  const decision = decideElsewhere(ports.config, home.region, home.wrongRegion, forwardedBefore);
  if (decision.kind === 'refuse') return;
  const url = `${decision.homeUrl}${exchange.event.path}${queryOf(exchange)}`;
  if (decision.kind === 'redirect') {
    step.response = { status: 307, headers: { Location: url }, body: '' };
    return;
  }
  step.response = await forward(ports, exchange, url);
  exchange.elsewhere = { ...home, forwarded: true };
}

function forward({ forwarder }: RegionPorts, { event, invocation }: Exchange, url: string): Promise<HttpAnswer> {
  const headers: Record<string, string> = { [FORWARDED]: '1' };
  for (const [name, value] of Object.entries(event.headers)) if (value !== undefined) headers[name] = value;
  const body =
    event.body === null
      ? undefined
      : event.isBase64Encoded
        ? Buffer.from(event.body, 'base64')
        : TO_UTF8.encode(event.body);
  return forwarder.forward({ method: event.httpMethod, url, headers, body }, invocation.signal);
}

function queryOf({ event }: Exchange): string {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    for (const value of values ?? []) query.append(name, value);
  }
  return query.size === 0 ? '' : `?${query}`;
}
