import { describe, expect, test } from 'vitest';
import { gatewayMethods, type Method, TIMEOUT_S } from '../support/aws/gateway-methods.ts';
import { toResources } from '../support/aws/gateway-resources.ts';
import { FUNCTION_NAMES, makeApp, REGIONS, type Resource, type Resources, Synthesized } from './support/synthesized.ts';

const made = new Synthesized(makeApp());

/** The logical id of each function, and back. */
function functionsOf(all: Resources): ReadonlyMap<string, string> {
  const ids = Object.keys(all).filter((id) => all[id]!.Type === 'AWS::Lambda::Function');
  return new Map(
    FUNCTION_NAMES.flatMap((name) =>
      ids.filter((id) => id.startsWith(`Function${name.replaceAll('-', '')}Function`)).map((id) => [id, name] as const),
    ),
  );
}

function pathOf(id: string | undefined, all: Resources): string {
  const resource = id === undefined ? undefined : all[id];
  if (resource?.Type !== 'AWS::ApiGateway::Resource') return '';
  return `${pathOf(resource.Properties.ParentId.Ref, all)}/${resource.Properties.PathPart}`;
}

function methodOf({ Properties: { Integration } }: Resource, functions: ReadonlyMap<string, string>): Method {
  const uri = JSON.stringify(Integration.Uri);
  const [, name] = [...functions].find(([id]) => uri.includes(`"${id}"`))!;
  const isStreamed = Integration.ResponseTransferMode === 'STREAM';
  return { function: name as Method['function'], streamed: isStreamed, timeoutMs: Integration.TimeoutInMillis };
}

describe.each(REGIONS)('the gateway that tests of the deployed form ask, against the API of %s', (region) => {
  const all = made.resources(region, 'api');
  const functions = functionsOf(all);

  test('has its resources and methods, each at the same function, answered the same way and waited for as long', () => {
    const methods = Object.values(all).filter(({ Type }) => Type === 'AWS::ApiGateway::Method');
    const deployed = methods.map((method) => {
      const { HttpMethod: verb, ResourceId } = method.Properties;
      return [`${verb} ${pathOf(ResourceId.Ref, all) || '/'}`, methodOf(method, functions)] as const;
    });
    expect(deployed.length).toBeGreaterThan(50);
    expect(gatewayMethods()).toEqual(Object.fromEntries(deployed));
    // A resource that has no method would be answered by API Gateway in its own words.
    expect(deployed).toHaveLength(new Set(deployed.map(([route]) => route)).size);
  });

  test('has one tree of them: what API Gateway would match, it matches', () => {
    const paths = Object.keys(all).filter((id) => all[id]!.Type === 'AWS::ApiGateway::Resource');
    const found: string[] = [];
    const visit = (at: ReturnType<typeof toResources>): void => {
      found.push(at.path);
      for (const child of [...at.fixed.values(), at.variable, at.greedy]) if (child !== undefined) visit(child);
    };
    visit(toResources(gatewayMethods() as Parameters<typeof toResources>[0]));
    expect(found.toSorted()).toEqual(['/', ...paths.map((id) => pathOf(id, all))].toSorted());
  });

  test('HEAD is where GET is', () => {
    const routes = new Set(Object.keys(gatewayMethods()));
    const gets = [...routes].filter((route) => route.startsWith('GET '));
    expect(gets.filter((route) => !routes.has(route.replace('GET', 'HEAD')))).toEqual([]);
  });

  test('functions are given as long as they have', () => {
    const deployed = [...functions].map(([id, name]) => [name, all[id]!.Properties.Timeout]);
    expect(Object.fromEntries(deployed)).toEqual(TIMEOUT_S);
  });
});
