import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { type ConsoleSettings, consoleOrigin } from '../config-console.ts';
import { ConsoleSite } from '../constructs/console-site.ts';
import { type ConsoleIssuer, ConsoleUsers } from '../constructs/console-users.ts';
import type { RegionKeys } from '../constructs/region-keys.ts';
import { sealedLogGroup } from '../constructs/sealed-log-group.ts';
import type { RegionContext } from '../region-context.ts';

export type ConsoleStackParts = {
  readonly context: RegionContext;
  readonly settings: ConsoleSettings;
  readonly keys: RegionKeys;
  /** The built console. */
  readonly folder: string;
};

/**
 * The web console of all regions, and who may sign in to it. Each region trusts its issuer once it is told of it: the output
 * `Issuer` is the body of `PUT /control/v1/issuers` that does.
 */
export class Console extends Stack {
  constructor(scope: Construct, id: string, props: StackProps, parts: ConsoleStackParts) {
    super(scope, id, props);
    const { context, settings, keys, folder } = parts;
    const { config } = context;
    const issuer = issuerOf(this, settings, config);
    const urls = regionUrls(config);
    const site = new ConsoleSite(this, 'Site', {
      domain: settings.domain,
      reach: { connect: [...Object.values(urls), ...issuer.origins], frame: issuer.origins },
      logDays: config.retention.logDays,
    });
    const runtimeConfig = {
      region: config.primary,
      regions: Object.entries(urls).map(([region, url]) => ({
        id: region,
        url,
        issuer: issuer.issuer,
        client_id: issuer.clientId,
        scope: issuer.scope,
        token: issuer.token,
      })),
    };
    const shared = {
      destinationBucket: site.bucket,
      destinationKeyPrefix: 'console',
      // What an open page still loads goes with the next deployment but one: names of assets change with their bytes.
      prune: false,
      logGroup: sealedLogGroup(this, 'UploadLog', { config, key: keys.operations }),
    };
    const assets = new BucketDeployment(this, 'Assets', {
      ...shared,
      sources: [Source.asset(folder)],
      exclude: ['*'],
      include: ['assets/*'],
      cacheControl: [CacheControl.fromString('public, max-age=31536000, immutable')],
    });
    const pages = new BucketDeployment(this, 'Pages', {
      ...shared,
      sources: [Source.asset(folder), Source.jsonData('config.json', runtimeConfig)],
      exclude: ['assets/*', '.vite/*'],
      cacheControl: [CacheControl.fromString('no-cache')],
      distribution: site.distribution,
      distributionPaths: ['/console/*'],
    });
    // A page is there only once all that it loads is.
    pages.node.addDependency(assets);
    new CfnOutput(this, 'Url', { value: `${consoleOrigin(settings)}/console/` });
    new CfnOutput(this, 'Issuer', {
      value: this.toJsonString({
        issuer: issuer.issuer,
        audience: issuer.clientId,
        jwks_uri: issuer.jwksUri,
        tenants: ['*'],
        max_role: 'admin',
      }),
    });
  }
}

function issuerOf(scope: Construct, settings: ConsoleSettings, config: Config): ConsoleIssuer {
  const { issuer } = settings;
  if (issuer === undefined) return new ConsoleUsers(scope, 'Users', settings, config).issuer;
  const { url, jwksUri, clientId, scope: scopes, token, origins } = issuer;
  return {
    issuer: url,
    clientId,
    scope: scopes,
    token,
    origins: [...new Set([new URL(url).origin, ...origins])],
    jwksUri,
  };
}

/** Where browsers reach each region; the configuration makes sure that there is one. */
function regionUrls({ regions }: Config): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(regions).map(([id, { domain, url }]) => [
      id,
      domain === undefined ? (url ?? '') : `https://${domain.name}`,
    ]),
  );
}
