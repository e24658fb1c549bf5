/** One region as the console reaches it. */
export type RegionConfig = {
  readonly id: string;
  /** Base URL of its API. */
  readonly url: string;
  readonly issuer: string;
  readonly client_id: string;
  readonly scope: string;
  /** The token that its API takes: Cognito puts the audience in its id tokens alone. */
  readonly token: 'access' | 'id';
};

/** What a deployment tells its console, at `/console/config.json`. */
export type ConsoleConfig = {
  /** The region that is shown first. */
  readonly region: string;
  readonly regions: readonly RegionConfig[];
};

const FIELDS = ['id', 'url', 'issuer', 'client_id', 'scope', 'token'] as const;

/** Throws where the file is missing or not a configuration. */
export async function loadConfig(fetched: typeof fetch = fetch): Promise<ConsoleConfig> {
  const response = await fetched(`${import.meta.env.BASE_URL}config.json`, { cache: 'no-store' });
  if (!response.ok) throw new Error(`config.json was answered with ${response.status}`);
  return parseConfig(await response.json());
}

function parseConfig(value: unknown): ConsoleConfig {
  const { region, regions } = (value ?? {}) as Partial<ConsoleConfig>;
  if (typeof region !== 'string' || !Array.isArray(regions) || regions.length === 0) {
    throw new Error('config.json names no region');
  }
  for (const each of regions) {
    const missing = FIELDS.find((field) => typeof each?.[field] !== 'string');
    if (missing !== undefined) throw new Error(`config.json: a region has no ${missing}`);
  }
  if (!regions.some(({ id }) => id === region)) throw new Error(`config.json does not describe region ${region}`);
  return { region, regions };
}
