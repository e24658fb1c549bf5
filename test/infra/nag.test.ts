import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { type Config, loadConfig } from '../../lib/config.ts';
import { NAG_EXCEPTIONS, type NagException } from './support/nag-exceptions.ts';
import { EXAMPLE, makeApp } from './support/synthesized.ts';

type Finding = { readonly rule: string; readonly path: string };

/** Of the whole app, after its aspects have run. */
function check(compute: Config['compute']): readonly Finding[] {
  const app = makeApp({ ...loadConfig(EXAMPLE), compute });
  app.synth();
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => ({ rule: ruleName, path: constructPath ?? '' })),
  );
}

function reasonsFor({ rule, path }: Finding): readonly NagException[] {
  return NAG_EXCEPTIONS.filter((one) => one.rule.test(rule) && one.path.test(path));
}

const findings = { ecs: check('ecs'), eks: check('eks') };

test.each(['ecs', 'eks'] as const)('AwsSolutions finds nothing on %s without a written reason', (compute) => {
  expect(findings[compute].length).toBeGreaterThan(0);
  expect(findings[compute].filter((finding) => reasonsFor(finding).length === 0)).toEqual([]);
});

test('no reason is left over', () => {
  const used = new Set(Object.values(findings).flat().flatMap(reasonsFor));
  expect(NAG_EXCEPTIONS.filter((exception) => !used.has(exception))).toEqual([]);
});
