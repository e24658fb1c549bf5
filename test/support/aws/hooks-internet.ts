import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CERTIFICATE } from '../hooks-test-certificate.ts';

const PRELOAD = join(import.meta.dirname, 'local-internet.ts');
/** Of a public name server: nobody is asked there. */
const ADDRESS = '9.9.9.9';

export type HooksInternet = {
  /** Where a server of this machine stands for `https://hooks.test`. */
  readonly port: number;
  /** For functions, to which `hooks.test` is a public name and `inside.test` that of a private address. */
  readonly functionVariables: Readonly<Record<string, string>>;
  close(): Promise<void>;
};

/** What functions take for the internet when they post webhooks. */
export async function openHooksInternet(): Promise<HooksInternet> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-hooks-'));
  const authorities = join(folder, 'authorities.pem');
  await writeFile(authorities, CERTIFICATE);
  const port = await freePort();
  const internet = { names: { 'hooks.test': ADDRESS, 'inside.test': '10.0.0.1' }, servers: { [ADDRESS]: port } };
  return {
    port,
    functionVariables: {
      NODE_OPTIONS: `--import ${PRELOAD}`,
      NODE_EXTRA_CA_CERTS: authorities,
      TEST_INTERNET: JSON.stringify(internet),
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
