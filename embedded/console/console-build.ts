import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type ConsoleFiles, readConsoleFiles } from './console-files.ts';

export type ConsoleState =
  | { readonly kind: 'building' }
  | { readonly kind: 'ready'; readonly files: ConsoleFiles }
  | { readonly kind: 'failed'; readonly why: string };

/** What is served under /console. */
export type ConsoleSource = { readonly state: ConsoleState };

/** What a console is built of, within the repository. */
const SOURCES = ['console', 'clients/typescript', 'core/units.ts', 'package-lock.json'];
const BUILT = join('console', 'dist');
const BUILD = ['build', '-c', join('console', 'vite.config.ts'), '--logLevel', 'error'];
/** Behind the platform, which starts beside it. */
const PRIORITY = 10;

/** The folder with the console of a repository, built if it is missing or older than its sources. Throws where it cannot be. */
export async function buildConsole(root: string, say: (line: string) => void): Promise<string> {
  const build = new ConsoleBuild(root, say);
  await build.prepare();
  if (build.state.kind !== 'ready') throw new Error('the console was not built');
  return join(root, BUILT);
}

/** The console of a repository: built when it is missing or older than its sources, in a process of its own. */
export class ConsoleBuild implements ConsoleSource {
  readonly #root: string;
  readonly #say: (line: string) => void;
  #state: ConsoleState = { kind: 'building' };
  #child: ChildProcess | undefined;
  #stopped = false;

  constructor(root: string, say: (line: string) => void) {
    this.#root = root;
    this.#say = say;
  }

  get state(): ConsoleState {
    return this.#state;
  }

  /** Ends once the console is there, or with the state `failed`; never rejects. */
  async prepare(): Promise<void> {
    const folder = join(this.#root, BUILT);
    try {
      if (!(await this.#isFresh(folder))) await this.#build(folder);
      if (!this.#stopped) this.#state = { kind: 'ready', files: await readPatiently(folder) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#state = { kind: 'failed', why };
      if (!this.#stopped) this.#say(`the console was not built: ${why}`);
    }
  }

  /** Ends a build under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, 'exit');
  }

  async #isFresh(folder: string): Promise<boolean> {
    const built = join(folder, 'index.html');
    if (!existsSync(built)) return false;
    // Installed without its sources' tools, it cannot be built anew.
    if (!existsSync(this.#vite)) return true;
    const builtAtMs = (await stat(built)).mtimeMs;
    for (const source of SOURCES) if ((await newestMs(join(this.#root, source))) > builtAtMs) return false;
    return true;
  }

  get #vite(): string {
    return join(this.#root, 'node_modules', 'vite', 'bin', 'vite.js');
  }

  /** Into a folder of its own first, so that nobody reads half a console. */
  async #build(folder: string): Promise<void> {
    if (!existsSync(this.#vite)) throw new Error('vite is not installed; run npm install');
    this.#say('building the console');
    const startedMs = performance.now();
    const draft = `${folder}.${randomBytes(4).toString('hex')}`;
    try {
      await this.#run([...BUILD, '--outDir', draft]);
      await putInPlace(draft, folder);
    } catch (error) {
      // Another process may have built it meanwhile.
      if (!(await this.#isFresh(folder))) throw error;
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    this.#say(`the console is built after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }

  async #run(args: readonly string[]): Promise<void> {
    if (this.#stopped) throw new Error('stopped');
    const child = spawn(process.execPath, [this.#vite, ...args], {
      cwd: this.#root,
      stdio: ['ignore', 'ignore', 'pipe'],
      // Whatever this process runs in: React for development is twice as large.
      env: { NODE_ENV: 'production' },
    });
    this.#child = child;
    if (child.pid !== undefined) setPriority(child.pid, PRIORITY);
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
    });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(said.trim() || `vite ended with ${code}`);
  }
}

/** While another process puts its own in place, there is none for a moment. */
async function readPatiently(folder: string): Promise<ConsoleFiles> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readConsoleFiles(folder);
    } catch (error) {
      if (attempt === 3) throw error;
      await setTimeout(100);
    }
  }
}

async function putInPlace(draft: string, folder: string): Promise<void> {
  const before = `${draft}.before`;
  if (existsSync(folder)) await rename(folder, before);
  await rename(draft, folder);
  await rm(before, { recursive: true, force: true });
}

async function newestMs(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.mtimeMs;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !/[\\/]dist(\.|$|[\\/])/.test(entry.parentPath));
  const times = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).mtimeMs));
  return Math.max(0, ...times);
}
