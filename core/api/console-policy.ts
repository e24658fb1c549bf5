/** Where the console may reach beside its own host: base URLs or origins. */
export type ConsoleReach = {
  /** Regions, and what tokens are fetched from. */
  readonly connect: readonly string[];
  /** Issuers, in a frame that nobody sees: a silent sign-in. */
  readonly frame: readonly string[];
};

/**
 * The content security policy of the console's pages. Scripts, styles and fonts come from its own host alone, none of them inline.
 * `mayBeFramed`: for the page alone that a silent sign-in comes back to.
 */
export function consolePolicy({ connect, frame }: ConsoleReach, mayBeFramed: boolean): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data:",
    ["connect-src 'self'", ...connect].join(' '),
    ["frame-src 'self'", ...frame].join(' '),
    "form-action 'none'",
    "base-uri 'none'",
    `frame-ancestors ${mayBeFramed ? "'self'" : "'none'"}`,
  ].join('; ');
}

export const CONSOLE_PERMISSIONS = 'camera=(), geolocation=(), microphone=()';

/** Pages of the console that a sign-in comes back to, below its address. */
export const CONSOLE_RETURNS = ['callback', 'silent.html'] as const;
