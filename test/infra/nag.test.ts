import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { NAG_EXCEPTIONS } from './support/nag-exceptions.ts';
import { makeApp } from './support/synthesized.ts';

type Finding = { readonly rule: string; readonly path: string };

/** Of the whole app, after its aspects have run. */
function check(): readonly Finding[] {
  const app = makeApp();
  app.synth();
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => ({ rule: ruleName, path: constructPath ?? '' })),
  );
}

test('AwsSolutions finds nothing without a written reason, and no reason is left over', () => {
  const findings = check();
  const explains = ({ rule, path }: Finding) =>
    NAG_EXCEPTIONS.filter((one) => one.rule.test(rule) && one.path.test(path));
  expect(findings.length).toBeGreaterThan(0);
  expect(findings.filter((finding) => explains(finding).length === 0)).toEqual([]);
  const used = new Set(findings.flatMap(explains));
  expect(NAG_EXCEPTIONS.filter((exception) => !used.has(exception))).toEqual([]);
});
