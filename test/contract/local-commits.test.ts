import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../adapters/local/database.ts';
import { Commits } from '../../adapters/local/group-commit.ts';
import { Failure } from '../../core/failure.ts';
import { failureCodeOf } from './contract.ts';

let folder: string;
let database: DatabaseSync;
let commits: Commits;
let boundaries: string[];
let failNextCommit = false;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  database = openDatabase(join(folder, 'a.db'), 'exclusive');
  database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT');
  boundaries = [];
  commits = new Commits(database, (name) => {
    boundaries.push(name);
    if (name !== 'commit:before' || !failNextCommit) return;
    failNextCommit = false;
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  });
});

afterEach(() => {
  commits.close();
  rmSync(folder, { recursive: true });
});

function insert(id: number, text = ''): Promise<unknown> {
  return commits.write(() => database.prepare('INSERT INTO t VALUES (?, ?)').run(id, text));
}

function ids(): number[] {
  return (database.prepare('SELECT id FROM t ORDER BY id').all() as { id: number }[]).map(({ id }) => id);
}

describe('grouped commits', () => {
  it('share one commit among the writers of a turn, and none resolves before it', async () => {
    let resolved = 0;
    const writes = [1, 2, 3].map((id) => insert(id).then(() => (resolved += 1)));
    await Promise.resolve();
    expect([resolved, boundaries]).toEqual([0, []]);
    await Promise.all(writes);
    expect(boundaries).toEqual(['commit:before', 'commit:after']);
    expect(ids()).toEqual([1, 2, 3]);
  });

  it('undo what one writer did when it throws, and keep its neighbours', async () => {
    const before = insert(1);
    const refused = commits.write(() => {
      database.prepare('INSERT INTO t VALUES (2, ?)').run('half');
      throw new Failure('state-conflict');
    });
    const broken = commits.write(() => {
      database.prepare('INSERT INTO t VALUES (3, ?)').run('half');
      database.prepare('INSERT INTO t VALUES (1, ?)').run('twice');
    });
    const after = insert(4);
    expect(await failureCodeOf(refused)).toBe('state-conflict');
    await expect(broken).rejects.toThrow('UNIQUE');
    await Promise.all([before, after]);
    expect(ids()).toEqual([1, 4]);
  });

  it('fail all writers of a commit that fails, take their rows back, and go on', async () => {
    failNextCommit = true;
    const codes = await Promise.all([failureCodeOf(insert(1)), failureCodeOf(insert(2))]);
    expect(codes).toEqual(['storage-unavailable', 'storage-unavailable']);
    expect(ids()).toEqual([]);
    await insert(3);
    expect(ids()).toEqual([3]);
  });

  it('answer a read of uncommitted rows once they are committed, and again without them if they are not', async () => {
    const write = insert(1);
    expect(await commits.read(ids)).toEqual([1]);
    expect(boundaries).toEqual(['commit:before', 'commit:after']);
    await write;
    failNextCommit = true;
    const failing = failureCodeOf(insert(2));
    expect(await commits.read(ids)).toEqual([1]);
    expect(await failing).toBe('storage-unavailable');
  });

  it('hold a refusal back that rests on rows which are not committed', async () => {
    failNextCommit = true;
    const first = failureCodeOf(insert(1));
    const second = commits.write(() => {
      if (ids().includes(1)) throw new Failure('already-exists');
    });
    expect(await failureCodeOf(second)).toBe('storage-unavailable');
    expect(await first).toBe('storage-unavailable');
  });

  it('refuse writes while the disk is full and take them when there is room', async () => {
    await insert(1, 'x'.repeat(10_000));
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() as { page_count: number };
    database.exec(`PRAGMA max_page_count = ${pages}`);
    expect(await failureCodeOf(insert(2, 'x'.repeat(50_000)))).toBe('storage-unavailable');
    expect(ids()).toEqual([1]);
    database.exec('PRAGMA max_page_count = 1000000');
    await insert(3, 'x'.repeat(50_000));
    expect(ids()).toEqual([1, 3]);
  });

  it('refuse writes after they were closed', async () => {
    const last = insert(1);
    commits.close();
    await last;
    expect(await failureCodeOf(insert(2))).toBe('storage-unavailable');
    database = openDatabase(join(folder, 'a.db'), 'exclusive');
    commits = new Commits(database);
    expect(ids()).toEqual([1]);
  });
});
