import { expect } from 'vitest';
import type { Directory } from '../../core/ports/directory.ts';
import type { DirectoryEntry } from '../../core/tenancy/tenant.ts';
import { type Adapter, atOnce, type Case, countBy, describeContract, failureCodeOf, type Subject } from './contract.ts';

/** `other` is the same directory as another region of it sees it, at the latest after `advance` of a few seconds. */
export type DirectorySubject = Subject<Directory> & { readonly other: Directory };

type DirectoryCase = Case<DirectorySubject>;

const HOME: DirectoryEntry = { tenant: 'acme', region: 'us', wrongRegion: 'refuse' };

export const directoryCases: readonly DirectoryCase[] = [
  {
    name: 'tells every region where a tenant lives, after a crash too',
    async run(subject) {
      await subject.port.put(HOME);
      await subject.advance(5000);
      expect(await subject.other.lookup('acme')).toEqual(HOME);
      await subject.crash();
      expect(await subject.port.lookup('acme')).toEqual(HOME);
      expect(await subject.port.lookup('globex')).toBeUndefined();
    },
  },
  {
    name: 'changes the policy of a tenant at home, and never its home',
    async run({ port }) {
      await port.put(HOME);
      await port.put({ ...HOME, wrongRegion: 'forward' });
      expect(await failureCodeOf(port.put({ ...HOME, region: 'eu' }))).toBe('already-exists');
      expect(await port.lookup('acme')).toEqual({ ...HOME, wrongRegion: 'forward' });
    },
  },
  {
    name: 'lets one of two regions that want the same tenant have it',
    async run({ port, other }) {
      const answers = await atOnce(10, (index) => {
        const region = index % 2 === 0 ? 'us' : 'eu';
        return (index % 2 === 0 ? port : other).put({ ...HOME, region }).then(
          () => region,
          (error) => error.code,
        );
      });
      const home = (await port.lookup('acme'))?.region;
      expect(countBy(answers, String)).toEqual({ [String(home)]: 5, 'already-exists': 5 });
    },
  },
  {
    name: 'forgets what is removed, harmlessly if it was not there',
    async run({ port }) {
      await port.put(HOME);
      await port.put({ ...HOME, tenant: 'globex' });
      await port.remove('acme');
      await port.remove('acme');
      expect(await port.lookup('acme')).toBeUndefined();
      expect(await port.lookup('globex')).toBeDefined();
      await port.put({ ...HOME, region: 'eu' });
      expect((await port.lookup('acme'))?.region).toBe('eu');
    },
  },
];

export function describeDirectoryContract(name: string, adapter: Adapter<Directory, DirectorySubject>): void {
  describeContract(`directory: ${name}`, directoryCases, adapter);
}
