import type { Config, RegionSettings } from './config.ts';

/** By processor, a folder with a `Dockerfile`. */
export type WorkerImages = { readonly x64: string; readonly arm64: string };

/** What every stack of a region is made from. */
export type RegionContext = {
  readonly config: Config;
  readonly region: string;
  readonly settings: RegionSettings;
  readonly isPrimary: boolean;
  /** Services start without tasks, so that a region can be made before there are quotas for its instances. */
  readonly isFirstDeployment: boolean;
  /** Folders from which the workers' images are built. */
  readonly workerImages: WorkerImages;
};
