import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { consoleOrigin } from '../config-console.ts';
import { settingsParameterName } from '../names.ts';
import type { RegionContext } from '../region-context.ts';

/**
 * Settings that change without a deployment of functions and workers: they read it by its name, so that the API's own address,
 * which is known last, may be in it.
 */
export function regionSettings(scope: Construct, id: string, { config, region }: RegionContext, ownUrl: string) {
  const others = Object.entries(config.regions).flatMap(([other, { domain, url }]) => {
    const address = domain === undefined ? url : `https://${domain.name}`;
    return address === undefined ? [] : [[other, address] as const];
  });
  return new StringParameter(scope, id, {
    parameterName: settingsParameterName(config.deployment, region),
    description: 'Read by functions and workers of the region',
    stringValue: JSON.stringify({
      regionUrls: { ...Object.fromEntries(others), [region]: ownUrl },
      corsOrigins: [...config.corsOrigins, ...(config.console === undefined ? [] : [consoleOrigin(config.console)])],
      logLevel: config.logLevel,
      runbookUrl: config.runbookUrl,
    }),
  });
}
