import { toProblem } from '../../core/api/problem.ts';
import { snakeKeys } from '../../core/api/snake-case.ts';
import { type ReportJson, reportToJson } from '../../core/api/validation-json.ts';
import { Failure } from '../../core/failure.ts';
import type { Manifest } from '../../core/models/manifest.ts';
import type { Check } from '../../core/models/report.ts';
import { validateFiles } from '../../embedded/validate-files.ts';
import { describeProblem, type Problem } from '../client.ts';
import { type Live, openLive, SILENT } from '../live.ts';
import { readFolderFile, readModelFolder } from '../model-folder.ts';
import { checkLines, duration, renderReport } from '../report.ts';
import { paint } from '../table.ts';

/** What `--json` prints. */
type Verdict =
  | { readonly state: 'accepted'; readonly manifest: Manifest; readonly report: ReportJson }
  | { readonly state: 'refused'; readonly problem: Problem; readonly checks: ReportJson['checks'] };

/** `sluice model validate`: exit code 0 if a push would be accepted, as far as this machine can tell, else 1. */
export async function validateFolder(path: string, options: { readonly json?: boolean }): Promise<void> {
  const live = options.json ? SILENT : openLive(process.stderr);
  const verdict = await validate(path, live);
  live.end();
  if (verdict.state === 'refused') process.exitCode = 1;
  if (options.json) console.log(JSON.stringify(verdict, null, 2));
  else if (verdict.state === 'refused') console.error(paint('red', describeProblem(verdict.problem)));
  else console.log(describeAccepted(verdict.report, verdict.manifest));
}

async function validate(path: string, live: Live): Promise<Verdict> {
  let checks: readonly Check[] = [];
  const onProgress = (found: readonly Check[], doing: string) => {
    for (const check of found.slice(checks.length)) for (const line of checkLines(snakeKeys(check))) live.line(line);
    checks = found;
    live.doing(doing);
  };
  try {
    const { manifest, model, golden, tokenizer, reference, notes } = await readModelFolder(path);
    for (const note of notes) live.line(paint('dim', note));
    const files = {
      modelPath: model.path,
      golden: golden && readFolderFile(golden),
      tokenizerPath: tokenizer?.path,
      reference: reference && readFolderFile(reference),
    };
    const validated = await validateFiles(manifest, files, onProgress);
    onProgress(validated.validation.checks, 'done');
    return { state: 'accepted', manifest: validated.manifest, report: reportToJson(validated.validation) };
  } catch (error) {
    return { state: 'refused', problem: problemOf(error), checks: checks.map(snakeKeys) };
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof Failure) return toProblem(error, { instance: '', requestId: '' }).body;
  return { title: error instanceof Error ? error.message : String(error) };
}

function describeAccepted(report: ReportJson, manifest: Manifest): string {
  const name = paint('bold', manifest.name);
  const head = `${paint('green', '✓')} ${name} would be accepted, validated in ${duration(report.took_ms)} on this machine`;
  const others = namesOthers(manifest) ? '\n  other models, plans and pools that it names were not looked up' : '';
  return `${head}${others}\n${renderReport(report, manifest)}`;
}

function namesOthers({ fallback, variants, pool }: Manifest): boolean {
  return (fallback !== undefined && 'model' in fallback) || variants !== undefined || pool !== undefined;
}
