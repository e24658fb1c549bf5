import { BROKEN_WATCHES } from '../support/broken-watches.ts';
import { expectCaught } from './expect-caught.ts';
import { localPort } from './local-adapters.ts';
import { describeWatchesContract, watchesCases } from './watches.contract.ts';

describeWatchesContract('local', localPort('watches'));
expectCaught('watches', watchesCases, localPort('watches'), BROKEN_WATCHES);
