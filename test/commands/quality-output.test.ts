import { describe, expect, test } from 'vitest';
import { renderQuality } from '../../bin/quality-report.ts';
import { type QualityJson, qualityToJson, tenantQualityToJson } from '../../core/api/quality-json.ts';
import { qualityJson, tenantQualityJson } from '../../core/api/quality-schemas.ts';
import type { Quality } from '../../core/quality/drift/read-quality.ts';
import { reportOf } from '../../core/quality/drift/report.ts';
import { driftRulesSchema } from '../../core/quality/drift/rules.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { aJudgedWindow, aProfile, aReference, ofTexts } from '../support/drift.ts';

const NOON_MS = Date.UTC(2026, 0, 15, 12);
const WINDOW = { fromMs: NOON_MS - 15 * MINUTE_MS, untilMs: NOON_MS };

function aQuality(): Quality {
  const usual = aProfile({ yes: 500, no: 400, maybe: 100 });
  usual.inputs.set('text', ofTexts([10, 20, 30]));
  const current = aProfile({ yes: 100, no: 400 });
  current.inputs.set('text', ofTexts([0, 20, 4000], { tooLong: 1 }));
  const reference = aReference(usual);
  const before = { windowsInARow: { labels: 2 }, missingClasses: ['maybe'] };
  const rules = driftRulesSchema.parse({});
  const report = reportOf({ reference, current, window: WINDOW, rules, before, nowMs: NOON_MS }, true);
  return { model: 'm', version: '3', reference, alarmsAfter: 3, report, history: [aJudgedWindow(NOON_MS)] };
}

const shown = (quality: Quality): QualityJson => qualityJson.parse(qualityToJson(quality));

describe('a version beside its reference, at a terminal', () => {
  test('says whether it has drifted, by what, how long, and which classes come no more', () => {
    const text = renderQuality(shown(aQuality()));
    expect(text).toContain('m version 3: drifted, has drifted from its reference');
    expect(text).toContain('reference.json of the push, 1000 rows');
    expect(text).toContain('2026-01-15T11:45:00.000Z to 2026-01-15T12:00:00.000Z, 500 rows');
    expect(text).toMatch(/labels\s+│ js\s+│ 0\.\d{3}\s+│ 0\.1\d\d\s+│\s+500 │ drifted\s+│ 3 of 3/);
    expect(text).toMatch(/no\s+│ 40 %\s+│ 80 %/);
    expect(text).toMatch(/text\s+│\s+3 │ 33\.3 % \(0 %\)\s+│ 33\.3 % \(0 %\)/);
    expect(text).toContain('predicted no more: maybe');
  });

  test('has no colours where nobody sees them', () => {
    expect(renderQuality(shown(aQuality()))).not.toContain('\u001b');
  });

  test('says what is missing before there is anything to say', () => {
    const nothing = { model: 'm', version: '1', reference: undefined, alarmsAfter: 3, report: undefined, history: [] };
    const text = renderQuality(shown(nothing));
    expect(text).toContain('no-reference, there is nothing to compare with');
    expect(text).toContain('choose a window with --reference window');
    expect(text).toContain('--now shows the one that is open');
    const few = { ...nothing, reference: aReference(aProfile({ yes: 11 }), { kind: 'validation' }) };
    expect(renderQuality(shown(few))).toContain('what validation saw of golden pairs, 11 rows');
  });

  test('shows text that clients made as text, whatever it does to terminals', () => {
    const quality = aQuality();
    const report = { ...quality.report!, missingClasses: ['\u001b[31mred'] };
    expect(renderQuality(shown({ ...quality, report }))).not.toContain('\u001b');
  });
});

test('a tenant is shown no label, share or count', () => {
  const quality = aQuality();
  const json = tenantQualityJson.parse(tenantQualityToJson(quality));
  expect(json).toMatchObject({ model: 'm', version: '3', status: 'drifted' });
  const keys = new Set(json.checks.flatMap((check) => Object.keys(check)));
  expect(keys).not.toContain('samples');
  expect(JSON.stringify(json)).not.toMatch(/maybe|yes|rows"|share/);
});
