import { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { describe, expect, test } from 'vitest';
import { toV2Error } from '../../core/api/problem.ts';
import { Failure, type FailureCode } from '../../core/failure.ts';
import { DEFAULT_PLANS } from '../../core/tenancy/plan.ts';
import { MAX_BODY_BYTES } from '../../lambdas/http/read-body.ts';
import { GATEWAY_FAILURES } from '../../lib/constructs/gateway-responses.ts';
import { makeApp, REGIONS, type Resource, Synthesized } from './support/synthesized.ts';

const made = new Synthesized(makeApp());

// biome-ignore lint/suspicious/noExplicitAny: a rule of a firewall is whatever CloudFormation takes.
type Rule = any;

function ofType(region: string, type: string): readonly Resource[] {
  return Object.values(made.resources(region, 'api', type));
}

/** Every kind of answer that API Gateway may give by itself, as CDK knows them. */
const KINDS = Object.values(ResponseType).flatMap((kind) => (kind instanceof ResponseType ? [kind.responseType] : []));

describe.each(REGIONS)('the API of %s', (region) => {
  const answers = ofType(region, 'AWS::ApiGateway::GatewayResponse').map(({ Properties }) => Properties);

  test('whatever API Gateway answers by itself is a problem of ours', () => {
    expect(answers.map(({ ResponseType: kind }) => kind).toSorted()).toEqual(KINDS.toSorted());
    for (const { ResponseParameters, ResponseTemplates, StatusCode, ResponseType: kind } of answers) {
      expect(ResponseParameters['gatewayresponse.header.Content-Type'], kind).toBe("'application/problem+json'");
      expect(ResponseParameters['gatewayresponse.header.Cache-Control'], kind).toBe("'no-store'");
      const isBusy = StatusCode === '503' || StatusCode === '429';
      expect(ResponseParameters['gatewayresponse.header.Retry-After'] !== undefined, kind).toBe(isBusy);
      expect(Object.keys(ResponseTemplates), kind).toEqual(['application/json']);
    }
  });

  test.each(Object.keys(GATEWAY_FAILURES))('%s has the members that the failure has everywhere', (kind) => {
    const { ResponseTemplates, StatusCode } = answers.find((answer) => answer.ResponseType === kind)!;
    const said = JSON.parse(ResponseTemplates['application/json']);
    const facts = {
      ...(said.retry_after_s !== undefined && { retryAfterMs: said.retry_after_s * 1000 }),
      ...(said.limit_bytes !== undefined && { limitBytes: said.limit_bytes }),
    };
    const failure = new Failure(said.code as FailureCode, facts);
    const context = { instance: 'urn:sluice:request:$context.requestId', requestId: '$context.requestId' };
    const { body, status } = toV2Error(failure, context);
    expect(said).toEqual(body);
    if (said.code === 'body-too-large') expect(said.limit_bytes).toBe(MAX_BODY_BYTES);
    expect(StatusCode).toBe(String(status));
  });

  test('takes bytes as they come and validates nothing', () => {
    const [api] = ofType(region, 'AWS::ApiGateway::RestApi');
    expect(api!.Properties).toMatchObject({
      BinaryMediaTypes: ['*/*'],
      EndpointConfiguration: { Types: ['REGIONAL'] },
    });
    expect(ofType(region, 'AWS::ApiGateway::RequestValidator')).toEqual([]);
    expect(ofType(region, 'AWS::ApiGateway::Model')).toEqual([]);
    for (const { Properties } of ofType(region, 'AWS::ApiGateway::Method'))
      expect(Properties.AuthorizationType).toBe('NONE');
  });

  test('is throttled, and logs who asked for what without headers and bodies', () => {
    const [stage] = ofType(region, 'AWS::ApiGateway::Stage');
    const { AccessLogSetting, MethodSettings } = stage!.Properties;
    expect(MethodSettings).toEqual([
      expect.objectContaining({
        ThrottlingRateLimit: 5000,
        ThrottlingBurstLimit: 10_000,
        DataTraceEnabled: false,
        LoggingLevel: 'ERROR',
      }),
    ]);
    const fields = Object.values(JSON.parse(AccessLogSetting.Format)) as string[];
    for (const field of fields) expect(field).toMatch(/^\$context\./);
    expect(fields.join()).not.toMatch(/authoriz|header|body|queryString/i);
  });

  test("API Gateway's own log is ours before it writes to it", () => {
    const [stage] = ofType(region, 'AWS::ApiGateway::Stage');
    const [log] = Object.entries(made.resources(region, 'api', 'AWS::Logs::LogGroup')).filter(([, { Properties }]) =>
      JSON.stringify(Properties.LogGroupName)?.includes('API-Gateway-Execution-Logs_'),
    );
    expect(stage!.DependsOn).toContain(log![0]);
  });

  test('has the configured name, by TLS 1.2 and no other way', () => {
    const [domain] = ofType(region, 'AWS::ApiGateway::DomainName');
    expect(domain!.Properties).toMatchObject({ DomainName: `${region}.api.example.com`, SecurityPolicy: 'TLS_1_2' });
    expect(ofType(region, 'AWS::ApiGateway::RestApi')[0]!.Properties.DisableExecuteApiEndpoint).toBe(true);
    expect(ofType(region, 'AWS::Route53::RecordSet')).toHaveLength(region === 'us' ? 2 : 0);
  });

  test('lets API Gateway invoke each function that answers, for this API alone', () => {
    const permissions = ofType(region, 'AWS::Lambda::Permission').filter(
      ({ Properties }) => Properties.Principal === 'apigateway.amazonaws.com',
    );
    expect(permissions).toHaveLength(5);
    for (const { Properties } of permissions) expect(JSON.stringify(Properties.SourceArn)).toContain('RegionApi');
  });
});

describe('the firewall', () => {
  const [acl] = ofType('us', 'AWS::WAFv2::WebACL');
  const rules: readonly Rule[] = acl!.Properties.Rules;
  const groups = rules.filter((rule) => JSON.stringify(rule).includes('ManagedRuleGroupStatement'));
  const addresses = rules.find(({ Statement }) => Statement.RateBasedStatement !== undefined);

  test('stands before the stage', () => {
    expect(ofType('us', 'AWS::WAFv2::WebACLAssociation')).toHaveLength(1);
    expect(groups.map(({ Name }) => Name)).toEqual([
      'AWSManagedRulesCommonRuleSet',
      'AWSManagedRulesSQLiRuleSet',
      'AWSManagedRulesKnownBadInputsRuleSet',
    ]);
  });

  test('one address cannot use up what the stage takes of all, and may send what the largest plan grants', () => {
    const { AggregateKeyType, EvaluationWindowSec, Limit, ScopeDownStatement } = addresses.Statement.RateBasedStatement;
    expect([AggregateKeyType, ScopeDownStatement]).toEqual(['IP', undefined]);
    expect(addresses.Action).toEqual({ Block: {} });
    const [stage] = ofType('us', 'AWS::ApiGateway::Stage');
    const { ThrottlingRateLimit: ofAll } = stage!.Properties.MethodSettings[0];
    expect(Limit / EvaluationWindowSec).toBeLessThan(ofAll / 2);
    const granted = Math.max(...DEFAULT_PLANS.map(({ limits }) => limits.requestsPerSecond));
    expect(Limit / EvaluationWindowSec).toBeGreaterThanOrEqual(granted);
  });

  test('rules that look into bodies only label', () => {
    const overrides = groups.flatMap(({ Statement }) => Statement.ManagedRuleGroupStatement.RuleActionOverrides);
    for (const { ActionToUse } of overrides) expect(ActionToUse).toEqual({ Count: {} });
    const counted = overrides.map(({ Name }) => Name);
    expect(counted).toEqual(expect.arrayContaining(['SizeRestrictions_BODY', 'CrossSiteScripting_BODY', 'SQLi_BODY']));
  });

  test('and end what they labelled, but under /v1 and /v2, where models are fed', () => {
    const blocking = rules.filter((rule) => !groups.includes(rule) && rule !== addresses);
    expect(blocking).toHaveLength(2);
    for (const rule of blocking) {
      expect(rule.Action).toEqual({ Block: {} });
      const [labels, but] = rule.Statement.AndStatement.Statements;
      expect(JSON.stringify(labels)).toContain('LabelMatchStatement');
      const paths = [...JSON.stringify(but.NotStatement).matchAll(/"SearchString":"([^"]+)"/g)].map(([, path]) => path);
      // At the address that API Gateway gives, paths begin with the stage.
      expect(paths.slice(0, 4)).toEqual(['/v1/', '/live/v1/', '/v2/', '/live/v2/']);
      expect(JSON.stringify(but.NotStatement)).toContain('STARTS_WITH');
    }
    const labelled = [...JSON.stringify(blocking).matchAll(/"Key":"([^"]+)"/g)].map(([, key]) =>
      key!.split(':').at(-1),
    );
    expect(labelled).toEqual(expect.arrayContaining(['SizeRestrictions_Body', 'CrossSiteScripting_Body', 'SQLi_Body']));
  });
});
