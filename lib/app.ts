import { App, type AppProps } from 'aws-cdk-lib';
import { type Deployment, RegionStage } from './stages/region-stage.ts';

/** The whole of a deployment: one stage a region. */
export class SluiceApp extends App {
  readonly stages: Readonly<Record<string, RegionStage>>;

  constructor(deployment: Deployment, props: AppProps = {}) {
    const { config } = deployment;
    super({
      analyticsReporting: false,
      ...props,
      context: { '@aws-cdk/core:defaultCrossStackReferences': config.crossStackReferences, ...props.context },
    });
    const stages = Object.keys(config.regions).map((region) => [region, new RegionStage(this, region, deployment)]);
    this.stages = Object.fromEntries(stages);
  }
}
