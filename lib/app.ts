import { App, type AppProps } from 'aws-cdk-lib';
import type { DeployedFunction } from './bundle.ts';
import type { Config } from './config.ts';
import { RegionStage } from './stages/region-stage.ts';

/** The whole of a deployment: one stage a region. */
export class SluiceApp extends App {
  readonly stages: Readonly<Record<string, RegionStage>>;

  constructor(config: Config, folders: Readonly<Record<DeployedFunction, string>>, props: AppProps = {}) {
    super({
      analyticsReporting: false,
      ...props,
      context: { '@aws-cdk/core:defaultCrossStackReferences': config.crossStackReferences, ...props.context },
    });
    const stages = Object.keys(config.regions).map((region) => [
      region,
      new RegionStage(this, region, { config, folders }),
    ]);
    this.stages = Object.fromEntries(stages);
  }
}
