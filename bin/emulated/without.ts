import type { Template } from './leave-out.ts';

/** Methods whose answers API Gateway would stream, asked for whole instead; and how many there are. */
export function answerWhole(template: Template): { readonly template: Template; readonly methods: number } {
  let methods = 0;
  const resources = Object.entries(template.Resources).map(([id, resource]) => {
    if (resource.Type !== 'AWS::ApiGateway::Method') return [id, resource];
    const { Integration: integration, ...properties } = resource.Properties as { readonly Integration: Streamed };
    if (integration.ResponseTransferMode !== 'STREAM') return [id, resource];
    methods += 1;
    const uri = JSON.stringify(integration.Uri)
      .replace('path/2021-11-15/functions/', 'path/2015-03-31/functions/')
      .replace('/response-streaming-invocations', '/invocations');
    const whole = { ...integration, ResponseTransferMode: 'BUFFERED', TimeoutInMillis: 29_000, Uri: JSON.parse(uri) };
    return [id, { ...resource, Properties: { ...properties, Integration: whole } }];
  });
  return { template: { ...template, Resources: Object.fromEntries(resources) }, methods };
}

type Streamed = { readonly ResponseTransferMode?: string; readonly Uri: unknown };

/**
 * Policies without conditions on these keys, and how many conditions that were: for whoever evaluates policies and does not know
 * the keys, so that it would allow nothing.
 */
export function withoutConditions(
  template: Template,
  isUnknown: (key: string) => boolean,
): { readonly template: Template; readonly conditions: number } {
  let conditions = 0;
  const unconditioned = ({ Condition = {}, ...statement }: Statement): Statement => {
    const operators = Object.entries(Condition).map(([operator, keys]) => {
      const known = Object.entries(keys).filter(([key]) => !isUnknown(key));
      conditions += Object.keys(keys).length - known.length;
      return [operator, Object.fromEntries(known)] as const;
    });
    const kept = operators.filter(([, keys]) => Object.keys(keys).length > 0);
    return kept.length === 0 ? statement : { ...statement, Condition: Object.fromEntries(kept) };
  };
  const resources = Object.entries(template.Resources).map(([id, resource]) => {
    if (resource.Type !== 'AWS::IAM::Policy' && resource.Type !== 'AWS::IAM::Role') return [id, resource];
    const properties = Object.entries(resource.Properties as object).map(([name, value]) => [
      name,
      name.endsWith('PolicyDocument') ? { ...value, Statement: value.Statement.map(unconditioned) } : value,
    ]);
    return [id, { ...resource, Properties: Object.fromEntries(properties) }];
  });
  return { template: { ...template, Resources: Object.fromEntries(resources) }, conditions };
}

type Statement = { readonly Condition?: Readonly<Record<string, object>> };
