import { lookup, Resolver } from 'node:dns/promises';
import type { Reach } from './target.ts';

/**
 * The addresses of a name, now. Empty: it has none. Rejects if that cannot be found out at present.
 */
export type ResolveName = (name: string) => Promise<readonly string[]>;

const NO_ADDRESS = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);
/** With two tries 4 s at the most: the post that follows has 10 s in all. */
const TRY_MS = 2000;
const TRIES = 2;

/**
 * Asks the name servers directly: a name server that never answers costs no thread of the system's resolver, of which there
 * are four, and names of the machine's own (/etc/hosts) mean nothing. In development they do. `servers`: other name servers
 * than the machine's, for tests.
 */
export function createResolver(reach: Reach, servers?: readonly string[]): ResolveName {
  if (reach === 'anywhere') return lookUpHere;
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  return async (name) => {
    const families = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = families.flatMap((family) => (family.status === 'fulfilled' ? family.value : []));
    if (addresses.length > 0) return addresses;
    for (const family of families) {
      if (family.status === 'rejected' && !NO_ADDRESS.has(codeOf(family.reason))) throw family.reason;
    }
    return [];
  };
}

async function lookUpHere(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (error) {
    if (NO_ADDRESS.has(codeOf(error))) return [];
    throw error;
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}
