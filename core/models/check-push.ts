import { z } from 'zod';
import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { readManifest } from './check-manifest.ts';
import type { Manifest } from './manifest.ts';

/** What a manifest refers to outside its folder, read from whatever was sent: its other mistakes keep none from being found. */
const references = z.object({
  name: z.string().optional().catch(undefined),
  tokenizer: z.unknown().optional(),
  fallback: z.object({ model: z.string().optional() }).optional().catch(undefined),
  variants: z.record(z.string(), z.string()).optional().catch(undefined),
  pool: z.string().optional().catch(undefined),
});
type References = z.infer<typeof references>;

/** What is known of a push beside its manifest. */
type Beside = {
  /** The model that the caller names; undefined: whatever the manifest says. */
  readonly model?: string | undefined;
  readonly hasTokenizer: boolean;
};

type RegionPorts = Pick<Platform, 'registry' | 'config'>;

/**
 * The manifest of a push with its defaults, or `manifest-invalid` with every problem that can be seen without the model. Names of
 * other models, plans and pools are looked up in `region`; without one they are believed.
 */
export async function checkPush(manifest: unknown, beside: Beside, region?: RegionPorts): Promise<Manifest> {
  const read = readManifest(manifest);
  const problems = 'name' in read ? [] : [...read];
  const named = references.safeParse(manifest).data;
  if (named !== undefined) {
    const found = [
      ...folderProblems(named, beside),
      ...(region === undefined ? [] : await regionProblems(named, region)),
    ];
    // A name that is not even one is told as that alone.
    problems.push(...found.filter((problem) => !problems.some((told) => placeOf(told) === placeOf(problem))));
  }
  if (problems.length > 0 || !('name' in read)) throw new Failure('manifest-invalid', { problems });
  return read;
}

function folderProblems({ name, tokenizer, fallback }: References, { model, hasTokenizer }: Beside): string[] {
  const problems: string[] = [];
  if (model !== undefined && name !== undefined && name !== model) {
    problems.push(`name: is ${name}, but the push is of ${model}`);
  }
  if (tokenizer !== undefined && !hasTokenizer) problems.push('tokenizer: tokenizer.json is missing in the folder');
  if (tokenizer === undefined && hasTokenizer) {
    problems.push(
      'tokenizer: missing, but there is a tokenizer.json; say which inputs it fills, or leave the file out',
    );
  }
  if (fallback?.model !== undefined && fallback.model === name) {
    problems.push('fallback.model: a model cannot answer in place of itself');
  }
  return problems;
}

async function regionProblems(
  { name, fallback, variants = {}, pool }: References,
  { registry, config }: RegionPorts,
): Promise<string[]> {
  const problems: string[] = [];
  const isUnknown = async (model: string) => model !== name && (await registry.readRoute(model)) === undefined;
  if (fallback?.model !== undefined && (await isUnknown(fallback.model))) {
    problems.push(`fallback.model: there is no model ${shown(fallback.model)} in ${config.region}; push it first`);
  }
  const plans = (await registry.listPlans()).map(({ id }) => id);
  for (const [plan, model] of Object.entries(variants)) {
    if (!plans.includes(plan)) {
      problems.push(`variants.${shown(plan)}: there is no such plan; there are ${plans.join(', ')}`);
    }
    if (await isUnknown(model)) {
      problems.push(`variants.${shown(plan)}: there is no model ${shown(model)} in ${config.region}; push it first`);
    }
  }
  if (pool !== undefined && !config.pools.includes(pool)) {
    problems.push(`pool: there is no pool ${shown(pool)} in ${config.region}; there are ${config.pools.join(', ')}`);
  }
  return problems;
}

function placeOf(problem: string): string {
  return problem.slice(0, problem.indexOf(':'));
}

/** What the pusher wrote, cut. */
function shown(name: string): string {
  return name.slice(0, 64);
}
