import { createHash } from 'node:crypto';

/** `slk_<region>_<key id>_<secret>`: the region and, for tenant keys, the tenant can be read before anything is verified. */
export type ApiKeyParts = {
  readonly region: string;
  /** `<tenant>.<8 hex digits>`, or the digits alone for an operator's key. */
  readonly keyId: string;
  readonly tenant: string | undefined;
  /** 32 random bytes in hex. */
  readonly secret: string;
};

const KEY_ID_BYTES = 4;
const SECRET_BYTES = 32;
const API_KEY = /^slk_([a-z]{2}[a-z0-9-]{0,20})_((?:([a-z][a-z0-9-]{1,62})\.)?[0-9a-f]{8})_([0-9a-f]{64})$/;

/** The parts of an API key, or undefined if the text is none. Says nothing of whether the key exists. */
export function parseApiKey(text: string): ApiKeyParts | undefined {
  const [, region, keyId, tenant, secret] = API_KEY.exec(text) ?? [];
  return region === undefined || keyId === undefined || secret === undefined
    ? undefined
    : { region, keyId, tenant, secret };
}

/** A key that nobody else has: 32 bits of id (the registry refuses a second one), 256 bits of secret. */
export function newApiKey(region: string, tenant: string | undefined): { keyId: string; secret: string; text: string } {
  const digits = randomHex(KEY_ID_BYTES);
  const keyId = tenant === undefined ? digits : `${tenant}.${digits}`;
  const secret = randomHex(SECRET_BYTES);
  return { keyId, secret, text: `slk_${region}_${keyId}_${secret}` };
}

/** What is kept of a secret. 256 random bits need no slow hash: there is nothing to guess. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function randomHex(bytes: number): string {
  return crypto
    .getRandomValues(new Uint8Array(bytes))
    .reduce((hex, byte) => hex + byte.toString(16).padStart(2, '0'), '');
}
