import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { IssuerRecord } from '../../core/ports/registry.ts';
import { SECOND_MS } from '../../core/units.ts';

export type TestIssuer = {
  readonly record: IssuerRecord;
  /** A token that is valid for ten minutes from `nowMs`, but for what `claims` and `header` change. */
  sign(nowMs: number, claims: JWTPayload, header?: { readonly alg?: string; readonly kid?: string }): Promise<string>;
  /** How often its keys were fetched. */
  readonly fetches: () => number;
  stop(): Promise<void>;
};

/** An OIDC issuer with a key set behind HTTP, as a customer's would be. */
export async function startIssuer(alg: 'RS256' | 'ES256', record: Partial<IssuerRecord> = {}): Promise<TestIssuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg, use: 'sig' }] });
  let fetches = 0;
  const server = createServer((_, response) => {
    fetches += 1;
    response.writeHead(200, { 'content-type': 'application/json' }).end(keys);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const known = { issuer: url, audience: 'sluice', jwksUri: `${url}/jwks`, tenants: ['acme'], maxRole: 'tenant-admin' };
  const full = { ...known, ...record } as IssuerRecord;
  return {
    record: full,
    sign: (nowMs, claims, header = {}) =>
      new SignJWT({
        iss: full.issuer,
        aud: full.audience,
        sub: 'ada',
        iat: nowMs / SECOND_MS,
        exp: nowMs / SECOND_MS + 600,
        sluice_tenant: 'acme',
        sluice_role: 'tenant-user',
        ...claims,
      })
        .setProtectedHeader({ alg, kid: 'one', ...header })
        .sign(privateKey),
    fetches: () => fetches,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
