import type { Principal } from '../tenancy/principal.ts';

/** Verifies credentials and makes the platform's own short-lived tokens. */
export interface Identity {
  /**
   * The principal behind an `Authorization` value (`Bearer …`). Throws `credentials-missing`, `credentials-invalid`,
   * `credentials-expired`, `issuer-unknown`, `issuer-unavailable`. Answers may be cached for at most a second.
   */
  authenticate(authorization: string | undefined, nowMs: number): Promise<Principal>;
  /** A signed token for a browser, 15 minutes, no stronger than tenant-user. */
  issueBrowserToken(
    claims: {
      tenant: string;
      issuedBy: string;
      user: string;
      models: readonly string[] | undefined;
    },
    nowMs: number,
  ): Promise<{ token: string; expiresAtMs: number }>;
}
