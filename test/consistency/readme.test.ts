import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const PAGES = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT }), ...globSync('models/*/*.md', { cwd: ROOT })];
/** Of npm itself. */
const BUILT_IN = new Set(['ci', 'install']);

const scripts = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts;

test.each(PAGES)('%s names npm scripts that exist', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const named = [...text.matchAll(/\bnpm (?:run )?([a-z][a-z:-]*)/g)].map(([, script]) => script ?? '');
  expect(named.filter((script) => !BUILT_IN.has(script) && scripts[script] === undefined)).toEqual([]);
});

test.each(PAGES)('%s links to files that are there', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, link]) => link ?? '');
  expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
});

test('every script that npm runs is a file of this repository or a tool that is installed', () => {
  for (const [name, command] of Object.entries(scripts)) {
    for (const part of command.split(' && ')) {
      const [tool = '', ...words] = part.split(' ');
      const argument = words.find((word) => !word.startsWith('-')) ?? '';
      if (tool === 'node') expect(existsSync(join(ROOT, argument)), `${name}: ${argument}`).toBe(true);
      else if (tool !== 'npm')
        expect(existsSync(join(ROOT, 'node_modules', '.bin', tool)), `${name}: ${tool}`).toBe(true);
    }
  }
});

/** `npm run sluice -- tenant create <id> --plan pro`, `key create <tenant>`: the words before the first argument. */
const commands = [...README.matchAll(/^\| (`npm run sluice -- .*?) \|/gm)].flatMap(([, cell]) =>
  [...(cell ?? '').matchAll(/`(?:npm run sluice -- )?([^`]+)`/g)].map(([, line]) =>
    (line ?? '')
      .split(' ')
      .filter((_, at, words) =>
        words.slice(0, at + 1).every((each, place) => (place === 0 ? /^[a-z]+(-[a-z]+)*$/ : /^[a-z]+$/).test(each)),
      )
      .join(' '),
  ),
);

const WORKFLOWS = globSync('.github/workflows/*.yml', { cwd: ROOT });

test.each(WORKFLOWS)('%s calls scripts and commands that exist', async (workflow) => {
  const text = readFileSync(join(ROOT, workflow), 'utf8');
  const called = [...text.matchAll(/npm run --silent ([a-z]+) -- ((?:[a-z]+ )+)/g)];
  expect(called.length).toBeGreaterThan(0);
  for (const [, script = '', command = ''] of called) {
    expect(scripts[script], script).toBeDefined();
    if (script !== 'sluice') continue;
    const sluice = join(ROOT, 'bin', 'sluice.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [sluice, ...command.trim().split(' '), '--help']);
    expect(stdout).toContain(`Usage: sluice ${command}`);
  }
});

test('README lists commands of the command line', () => expect(commands.length).toBeGreaterThan(4));

test.concurrent.each(commands)('sluice %s is a command', async (command) => {
  const sluice = join(ROOT, 'bin', 'sluice.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [sluice, ...command.split(' '), '--help']);
  expect(stdout).toContain(`Usage: sluice ${command} `);
});
