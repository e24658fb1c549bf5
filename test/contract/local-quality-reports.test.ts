import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { BROKEN_QUALITY_REPORTS } from '../support/broken-quality-reports.ts';
import { aJudgedWindow, aState } from '../support/drift.ts';
import { openLocalPlatform } from '../support/local-platform.ts';
import { failureCodeOf } from './contract.ts';
import { expectCaught } from './expect-caught.ts';
import { localPort } from './local-adapters.ts';
import { describeQualityReportsContract, qualityReportsCases } from './quality-reports.contract.ts';

describeQualityReportsContract('local', localPort('qualityReports'));
expectCaught('quality reports', qualityReportsCases, localPort('qualityReports'), BROKEN_QUALITY_REPORTS);

test('what cannot be read is told of where it is asked for, left out of lists, and holds up nothing', async () => {
  const platform = await openLocalPlatform();
  onTestFinished(() => platform.close());
  const nowMs = platform.clock.nowMs();
  await platform.ports.qualityReports.writeState(aState(nowMs), [aJudgedWindow(nowMs), aJudgedWindow(nowMs - 1)]);
  await platform.ports.qualityReports.writeState(aState(nowMs, { version: '2' }), []);
  await platform.ports.close();
  const database = new DatabaseSync(join(platform.folder, 'region.db'));
  database.exec(`UPDATE quality_state SET record = '{', summary = '{' WHERE version = '1'`);
  database.exec(`UPDATE quality_window SET record = '{' WHERE until_ms = ${nowMs}`);
  database.close();
  await platform.start();
  const { qualityReports } = platform.ports;
  expect(await failureCodeOf(qualityReports.readState('m', '1'))).toBe('record-damaged');
  expect((await qualityReports.listSummaries()).map(({ version }) => version)).toEqual(['2']);
  expect(await qualityReports.listWindows('m', '1', 10)).toHaveLength(1);
  expect(platform.logged.join()).toContain('m@1');
});
