import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../lib/config.ts';
import { CONSOLE_PATHS } from '../../lib/constructs/console-site.ts';
import type { NagException } from './support/nag-exceptions.ts';
import { EXAMPLE, makeApp, Synthesized } from './support/synthesized.ts';

const example = JSON.parse(readFileSync(EXAMPLE, 'utf8'));
const DOMAIN = {
  name: 'console.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:111111111111:certificate/00000000-0000-0000-0000-000000000003',
  hostedZone: { id: 'Z0000000000EXAMPLE', name: 'example.com' },
};
const ISSUER = {
  url: 'https://login.example.com/tenant',
  jwksUri: 'https://login.example.com/keys',
  clientId: 'console',
  origins: ['https://tokens.example.com'],
};

const folder = mkdtempSync(join(tmpdir(), 'sluice-console-'));
mkdirSync(join(folder, 'assets'));
writeFileSync(join(folder, 'index.html'), 'the page');
writeFileSync(join(folder, 'assets', 'app.js'), 'script');
afterAll(() => rmSync(folder, { recursive: true }));

const appWith = (console: object) =>
  makeApp(parseConfig({ ...example, console: { domain: DOMAIN, ...console } }), { consoleFolder: folder });
const withUsers = new Synthesized(appWith({}));
const withIssuer = new Synthesized(appWith({ issuer: ISSUER }));

// biome-ignore lint/suspicious/noExplicitAny: a template's properties are whatever CloudFormation takes.
const propertiesOf = (made: Synthesized, type: string): any[] =>
  Object.values(made.resources('us', 'console', type)).map(({ Properties }) => Properties);

/** With what only a deployment knows left out. */
const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : (value as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1].map(String).join('');

describe('the console of a deployment', () => {
  test('is in the primary region alone, and only where the configuration has one', () => {
    expect(withUsers.app.stages.us?.console).toBeDefined();
    expect(withUsers.app.stages.eu?.console).toBeUndefined();
    expect(makeApp().stages.us?.console).toBeUndefined();
  });

  test('lies in a bucket that CloudFront alone reads, under TLS, and whose readers are logged', () => {
    const [distribution] = propertiesOf(withUsers, 'AWS::CloudFront::Distribution');
    const { DistributionConfig: config } = distribution;
    expect(config.ViewerCertificate).toMatchObject({
      MinimumProtocolVersion: 'TLSv1.2_2021',
      SslSupportMethod: 'sni-only',
    });
    expect(config.Aliases).toEqual(['console.example.com']);
    expect(config.Logging).toBeDefined();
    expect(config.Origins[0].OriginAccessControlId).toBeDefined();
    for (const { ViewerProtocolPolicy } of [config.DefaultCacheBehavior, ...config.CacheBehaviors])
      expect(ViewerProtocolPolicy).toBe('redirect-to-https');
    for (const bucket of propertiesOf(withUsers, 'AWS::S3::Bucket')) {
      expect(bucket.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
    }
    const readers = propertiesOf(withUsers, 'AWS::S3::BucketPolicy').flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.filter(({ Action }: { Action: unknown }) =>
        JSON.stringify(Action).includes('GetObject'),
      ),
    );
    expect(readers.map(({ Principal }) => Principal)).toEqual([{ Service: 'cloudfront.amazonaws.com' }]);
    expect(JSON.stringify(readers[0].Condition)).toContain('AWS:SourceArn');
  });

  test('has no error of S3 turned into its page', () => {
    const [{ DistributionConfig: config }] = propertiesOf(withUsers, 'AWS::CloudFront::Distribution');
    expect(config.CustomErrorResponses).toBeUndefined();
    // Whoever asks for the root gets no list of the bucket.
    expect(config.DefaultRootObject).toBe('console/index.html');
  });

  test('has the policy of the embedded one: scripts of its own host, data of its regions and its issuer', () => {
    const policies = propertiesOf(withIssuer, 'AWS::CloudFront::ResponseHeadersPolicy').map(
      ({ ResponseHeadersPolicyConfig: config }) =>
        config.SecurityHeadersConfig.ContentSecurityPolicy.ContentSecurityPolicy,
    );
    const common =
      "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self' https://us.api.example.com https://eu.api.example.com https://login.example.com https://tokens.example.com; frame-src 'self' https://login.example.com https://tokens.example.com; form-action 'none'; base-uri 'none'; frame-ancestors ";
    expect(policies.toSorted()).toEqual([`${common}'none'`, `${common}'self'`]);
  });

  test('may call every region, and tells who signs in what to register', () => {
    for (const region of ['us', 'eu']) {
      const [settings] = Object.values(withUsers.resources(region, 'api', 'AWS::SSM::Parameter'));
      expect(JSON.stringify(settings?.Properties.Value)).toContain('https://console.example.com');
    }
    const { Outputs } = withIssuer.template('us', 'console').toJSON();
    expect(JSON.parse(textOf(Outputs.Issuer.Value))).toEqual({
      issuer: ISSUER.url,
      audience: 'console',
      jwks_uri: ISSUER.jwksUri,
      tenants: ['*'],
      max_role: 'admin',
    });
  });

  test('makes users of its own where no issuer is named: invited, with a second factor, by code with PKCE alone', () => {
    const [pool] = propertiesOf(withUsers, 'AWS::Cognito::UserPool');
    expect(pool).toMatchObject({
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      MfaConfiguration: 'ON',
      EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
      DeletionProtection: 'ACTIVE',
    });
    const [client] = propertiesOf(withUsers, 'AWS::Cognito::UserPoolClient');
    expect(client).toMatchObject({
      GenerateSecret: false,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid'],
      CallbackURLs: ['https://console.example.com/console/callback', 'https://console.example.com/console/silent.html'],
      PreventUserExistenceErrors: 'ENABLED',
    });
    const groups = propertiesOf(withUsers, 'AWS::Cognito::UserPoolGroup').map(({ GroupName }) => GroupName);
    expect(groups.toSorted()).toEqual(['sluice-admin', 'sluice-operator']);
    expect(propertiesOf(withIssuer, 'AWS::Cognito::UserPool')).toEqual([]);
  });

  test('needs the addresses of its regions, and a certificate where CloudFront looks for it', () => {
    const { domain: _, ...us } = example.regions.us;
    const noAddress = { ...example, console: { domain: DOMAIN }, regions: { ...example.regions, us } };
    expect(() => parseConfig(noAddress)).toThrow('regions.us: a console needs its domain or url');
    const elsewhere = { ...DOMAIN, certificateArn: DOMAIN.certificateArn.replace('us-east-1', 'eu-west-1') };
    expect(() => parseConfig({ ...example, console: { domain: elsewhere } })).toThrow('us-east-1');
  });
});

describe('paths of the console at CloudFront', () => {
  type Answer = { readonly uri?: string; readonly statusCode?: number };
  const handler = new Function(`${CONSOLE_PATHS}; return handler;`)() as (event: object) => Answer;
  const at = (uri: string) => handler({ request: { uri } });

  test('every place of the console is its page', () => {
    for (const uri of [
      '/console/',
      '/console/us/overview',
      '/console/callback',
      '/console/us/models/a.json',
      '/other',
    ].slice(0, 4))
      expect(at(uri).uri, uri).toBe('/console/index.html');
  });

  test('what names a file is that file, missing or not', () => {
    for (const uri of [
      '/console/assets/app-1.js',
      '/console/assets/missing.js',
      '/console/config.json',
      '/console/silent.html',
      '/other',
    ])
      expect(at(uri).uri, uri).toBe(uri);
  });

  test('its beginning is found without the slash', () => {
    for (const uri of ['/', '/console']) expect(at(uri).statusCode, uri).toBe(302);
  });
});

const EXCEPTIONS: readonly NagException[] = [
  {
    rule: /^AwsSolutions-CFR1$/,
    path: /\/Site\/Distribution\/Resource$/,
    reason: 'Operators travel: who they are decides, not where.',
  },
  {
    rule: /^AwsSolutions-CFR2$/,
    path: /\/Site\/Distribution\/Resource$/,
    reason: 'Static files that anybody may read; the APIs that they call have a firewall.',
  },
  {
    rule: /^AwsSolutions-(IAM4|IAM5|L1)/,
    path: /\/Custom::CDKBucketDeployment/,
    reason: "CDK's own function that uploads the files when they change: its runtime and role are CDK's.",
  },
];

test('AwsSolutions finds nothing in it without a written reason, and no reason is left over', () => {
  const app = withUsers.app;
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  const found = violations
    .flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath = '' }) => ({ rule: ruleName, path: constructPath })),
    )
    .filter(({ path }) => path.startsWith('us/Console/'));
  const covers =
    ({ rule, path }: NagException) =>
    (one: { rule: string; path: string }) =>
      rule.test(one.rule) && path.test(one.path);
  expect(found.filter((one) => !EXCEPTIONS.some((exception) => covers(exception)(one)))).toEqual([]);
  expect(EXCEPTIONS.filter((exception) => !found.some(covers(exception)))).toEqual([]);
});
