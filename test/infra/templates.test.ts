import { afterEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../lib/config.ts';
import { EXAMPLE, makeApp, REGIONS, STACKS, Synthesized } from './support/synthesized.ts';

/** Of CloudFormation: resources in one template. */
const MOST_RESOURCES = 500;

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** Of one region, as the other's templates are made the same way and the rules take seconds. */
test.each(['ecs', 'eks'] as const)(
  "CloudFormation's own rules find nothing wrong in the templates on %s",
  (compute) => {
    const said: unknown[] = [];
    vi.spyOn(console, 'error').mockImplementation((...text) => void said.push(...text));
    const { us } = loadConfig(EXAMPLE).regions;
    const config = { ...loadConfig(EXAMPLE), compute, regions: { us: us! } };
    makeApp(config, { props: { builtinCloudFormationValidation: true } }).synth();
    expect(process.exitCode, said.join('\n')).not.toBe(1);
  },
  120_000,
);

test('no template has more resources than CloudFormation takes, with room for what is to come', () => {
  const made = new Synthesized(makeApp());
  for (const region of REGIONS) {
    for (const stack of STACKS.filter((name) => made.app.stages[region]?.[name] !== undefined)) {
      expect(Object.keys(made.resources(region, stack)).length, `${region} ${stack}`).toBeLessThan(
        0.9 * MOST_RESOURCES,
      );
    }
  }
});

test('stacks do not ask the account for anything: a synthesis needs no network', () => {
  const assembly = makeApp().synth();
  for (const { manifest } of assembly.nestedAssemblies.map(({ nestedAssembly }) => nestedAssembly)) {
    expect(manifest.missing ?? []).toEqual([]);
  }
});

test('strong references are exports, for a CloudFormation that knows no others', () => {
  const { us } = loadConfig(EXAMPLE).regions;
  const config = { ...loadConfig(EXAMPLE), crossStackReferences: 'strong' as const, regions: { us: us! } };
  const made = new Synthesized(makeApp(config));
  const all = STACKS.map((stack) => JSON.stringify(made.template('us', stack).toJSON())).join();
  expect(all).not.toContain('Fn::GetStackOutput');
  expect(all).toContain('Fn::ImportValue');
});

test('by default a stack can be replaced without those that use it: no export holds it', () => {
  const made = new Synthesized(makeApp());
  const all = STACKS.map((stack) => JSON.stringify(made.template('us', stack).toJSON())).join();
  expect(all).not.toContain('Fn::ImportValue');
});
