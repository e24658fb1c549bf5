import type { Config, RegionSettings } from './config.ts';

/** What every stack of a region is made from. */
export type RegionContext = {
  readonly config: Config;
  readonly region: string;
  readonly settings: RegionSettings;
  readonly isPrimary: boolean;
};
