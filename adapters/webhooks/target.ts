import { isIP } from 'node:net';
import { Failure } from '../../core/failure.ts';
import { isPublicAddress } from './public-address.ts';

/** `public`: https to public addresses, for production. `anywhere`: any host, port and http too, for development. */
export type Reach = 'public' | 'anywhere';

/** Where TLS is served by convention; any port would make Sluice a port scanner. */
const PORTS = ['', '443', '8443'];

/** An address to post to, its name not looked up yet. */
export type Target = {
  readonly url: URL;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  /** True if the host is an address, which is checked already. */
  readonly isAddress: boolean;
};

/**
 * The parts of a webhook's URL. Throws `webhook-url-refused`, saying why. The URL standard writes all spellings of an IPv4
 * address (decimal, octal, hexadecimal, short, with a trailing dot) as four decimal numbers, so one check finds them all.
 */
export function parseTarget(text: string, reach: Reach): Target {
  const url = URL.parse(text);
  if (url === null) throw refused('this is not a URL');
  if (url.username !== '' || url.password !== '') throw refused('no user name or password in the address');
  if (url.hash !== '') throw refused('no fragment: it would not be sent');
  const isHttp = url.protocol === 'http:' && reach === 'anywhere';
  if (url.protocol !== 'https:' && !isHttp) throw refused('https only');
  if (reach === 'public' && !PORTS.includes(url.port)) throw refused('port 443 or 8443 only');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isAddress = isIP(host) !== 0;
  if (reach === 'public') expectPublicHost(host, isAddress);
  return { url, host, isAddress };
}

/** Throws `webhook-url-refused` if one of the addresses is not public: a name for both is a trick. */
export function expectPublic(addresses: readonly string[], reach: Reach): void {
  if (reach === 'public' && !addresses.every(isPublicAddress)) throw refused('the name stands for a private address');
}

export function refused(detail: string): Failure {
  return new Failure('webhook-url-refused', { field: 'url', detail });
}

function expectPublicHost(host: string, isAddress: boolean): void {
  if (isAddress && !isPublicAddress(host)) throw refused('this is a private address');
  if (isAddress) return;
  // One label is a name of this machine's network; a trailing dot is another spelling of a name, which certificates do not have.
  if (!host.includes('.') || host.endsWith('.')) throw refused('a full host name, such as hooks.example.com');
}
