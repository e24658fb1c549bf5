import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALARM_IDS, AWS_ALARMS } from '../../core/operations/alarms.ts';

const RUNBOOK = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'runbook.md'), 'utf8');
const SECTIONS = new Map(
  RUNBOOK.split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
);
const NAMES = [...ALARM_IDS, ...AWS_ALARMS];

test('the runbook has a section for each alarm and no other', () => {
  expect([...SECTIONS.keys()].toSorted()).toEqual(NAMES.toSorted());
});

describe.each(NAMES.map((name) => [name]))('the section of %s', (name) => {
  const section = SECTIONS.get(name) ?? '';

  test('says what it means, what users see, and what to do first', () => {
    expect(section).toContain('**Means.**');
    expect(section).toContain('**Users see**');
    // Of a budget there is nothing to do in a hurry.
    if (!name.startsWith('budget-spent')) expect(section).toMatch(/^1\. /m);
  });

  test('leads to no section that is not there', () => {
    for (const [, linked] of section.matchAll(/\]\(#([^)]+)\)/g)) expect([...SECTIONS.keys()]).toContain(linked);
  });
});

test('whoever is woken finds how to tell infrastructure from model, and how to undo, before anything else', () => {
  const before = RUNBOOK.slice(0, RUNBOOK.indexOf('\n## '));
  for (const part of ['First, always', 'Infrastructure or model?', 'Undo, whatever it is'])
    expect(before).toContain(part);
});
