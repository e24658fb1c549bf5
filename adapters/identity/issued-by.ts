import type { JWTPayload } from 'jose';
import { Failure } from '../../core/failure.ts';
import type { Registry } from '../../core/ports/registry.ts';
import { isInForce } from './api-keys.ts';

/** How a principal that is an API key is written. */
const KEY = /^key:(.+)$/;

/** The id of the key that a token was issued for. */
function keyIdOf({ sluice_issued_by: issuedBy }: JWTPayload): string | undefined {
  return KEY.exec(String(issuedBy))?.[1];
}

/** Throws `credentials-invalid` once the key that a token was issued for is revoked, expired or gone. */
export async function checkKeyOf(
  registry: Pick<Registry, 'readKey'>,
  payload: JWTPayload,
  nowMs: number,
): Promise<void> {
  const keyId = keyIdOf(payload);
  if (keyId !== undefined && !isInForce(await registry.readKey(keyId), nowMs)) {
    throw new Failure('credentials-invalid', { detail: 'the key that this token was issued for has ended' });
  }
}

/** Under which id a token acts: its key's where it names no user. */
export function actorOf(payload: JWTPayload): string | undefined {
  return payload.sluice_user === undefined && keyIdOf(payload) !== undefined
    ? String(payload.sluice_issued_by)
    : undefined;
}
