import { localPort } from './local-adapters.ts';
import { describeReleasesContract } from './releases.contract.ts';

describeReleasesContract('local', localPort('releases'));
