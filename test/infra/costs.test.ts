import { CfnResource, TagManager } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { INSTANCE_FILE } from '../../adapters/aws/environment.ts';
import { loadConfig, parseConfig } from '../../lib/config.ts';
import { boughtBy, instanceTypesOf, pricesOf, usdPerRunnerHour } from '../../lib/pool-prices.ts';
import { EXAMPLE, makeApp, REGIONS, STACKS, Synthesized } from './support/synthesized.ts';

const config = loadConfig(EXAMPLE);
const made = new Synthesized(makeApp(config));

test.each(REGIONS)('whatever of %s can carry tags says which deployment and region it belongs to', (region) => {
  let tagged = 0;
  for (const name of STACKS) {
    if (made.app.stages[region]?.[name] === undefined) continue;
    const resources = made.resources(region, name);
    const stack = made.stack(region, name);
    for (const node of stack.node.findAll()) {
      if (!CfnResource.isCfnResource(node) || node.stack !== stack || TagManager.of(node) === undefined) continue;
      const { Properties = {} } = resources[stack.resolve(node.logicalId)] ?? {};
      const tags = JSON.stringify(
        Properties.Tags ?? Properties.TagSpecifications ?? Properties.HostedZoneTags ?? Properties.FileSystemTags,
      );
      expect(tags, `${name}/${node.node.path}`).toContain('sluice:deployment');
      expect(tags, `${name}/${node.node.path}`).toContain('sluice:region');
      tagged += 1;
    }
  }
  expect(tagged).toBeGreaterThan(50);
});

function workerEnvironment(region: string, pool: string): Record<string, string> {
  const tasks = Object.values(made.resources(region, 'inference', 'AWS::ECS::TaskDefinition'));
  const environments = tasks.map(({ Properties }) =>
    Object.fromEntries(
      (Properties.ContainerDefinitions[0].Environment as { Name: string; Value: string }[]).map(({ Name, Value }) => [
        Name,
        Value,
      ]),
    ),
  );
  return environments.find(({ SLUICE_POOL }) => SLUICE_POOL === pool)!;
}

test('a worker is told what it may run on and what that costs: its instance says which, Fargate cannot', () => {
  const gpu = workerEnvironment('us', 'default');
  expect([gpu.SLUICE_INSTANCE_TYPE, gpu.SLUICE_PURCHASE]).toEqual(['g5.xlarge', 'mixed']);
  expect(Object.keys(JSON.parse(gpu.SLUICE_PRICES!))).toEqual(['g5.xlarge', 'g6.xlarge']);
  expect(workerEnvironment('us', 'acme').SLUICE_PURCHASE).toBe('on-demand');
  const cpu = workerEnvironment('us', 'cpu');
  expect([cpu.SLUICE_INSTANCE_TYPE, cpu.SLUICE_PURCHASE]).toEqual(['fargate-arm64-4x8', 'mixed']);
  const price = JSON.parse(cpu.SLUICE_PRICES!)['fargate-arm64-4x8'];
  expect(price.mixed).toBeCloseTo((price['on-demand'] + price.spot) / 2, 9);
  const templates = Object.values(made.resources('us', 'inference', 'AWS::EC2::LaunchTemplate'));
  for (const template of templates)
    expect(JSON.stringify(template.Properties.LaunchTemplateData.UserData)).toContain(INSTANCE_FILE);
});

test('what a push is said to cost is what the price list says of a runner of the default pool, unless it is told', () => {
  const settings = config.regions.us!;
  expect(usdPerRunnerHour({ config, settings })).toBeCloseTo(config.prices['g5.xlarge']!.onDemand / 4, 9);
  expect(workerEnvironment('us', 'default').SLUICE_USD_PER_COMPUTE_HOUR).toBe(
    String(usdPerRunnerHour({ config, settings })),
  );
  expect(usdPerRunnerHour({ config: { ...config, usdPerComputeHour: 0.7 }, settings })).toBe(0.7);
  const dearer = { ...settings, prices: { 'g5.xlarge': { onDemand: 4 } } };
  expect(usdPerRunnerHour({ config, settings: dearer })).toBe(1);
  // Without a price of Spot it is as dear as On-Demand.
  expect(pricesOf({ config, settings: dearer }, settings.pools.default!)['g5.xlarge']).toEqual({
    'on-demand': 4,
    spot: 4,
    mixed: 4,
  });
});

test('a pool knows how it is bought where there is but one way', () => {
  const pool = config.regions.us!.pools.cpu!;
  const of = (changes: object) => boughtBy({ ...pool, ...changes } as typeof pool).purchase;
  expect([
    of({ spotPercent: 0 }),
    of({ spotPercent: 100, minTasks: 0 }),
    of({ spotPercent: 100 }),
    of({ spotPercent: 50 }),
  ]).toEqual([...['on-demand', 'spot', 'mixed', 'mixed']]);
  expect(instanceTypesOf(pool)).toEqual(['fargate-arm64-4x8']);
});

test('a configuration in which nothing has a price is refused with what is missing', () => {
  const { prices: _, ...unpriced } = JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
  expect(() => parseConfig(unpriced)).toThrow(
    /usdPerComputeHour: missing, and prices have no g5.xlarge of regions.us.pools.default/,
  );
  expect(() => parseConfig({ ...unpriced, usdPerComputeHour: 0.1 })).not.toThrow();
  expect(() => parseConfig({ ...unpriced, prices: { 'g5.xlarge': { onDemand: 0 } } })).toThrow(
    /prices.g5.xlarge.onDemand/,
  );
});
