/** One instruction of a Dockerfile, its lines joined. */
export type Instruction = { readonly name: string; readonly text: string };

export type Stage = {
  /** As it is written after FROM, ARGs filled in. */
  readonly image: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
};

/** As much of the format as ours uses: comments, lines that go on, stages, and ARGs before the first of them. */
export function parseDockerfile(file: string): readonly Stage[] {
  const args = new Map<string, string>();
  const stages: { image: string; name: string; instructions: Instruction[] }[] = [];
  for (const { name, text } of instructionsOf(file)) {
    const stage = stages.at(-1);
    if (name === 'FROM') {
      const [, from = '', as = ''] = /^(\S+)(?: AS (\S+))?$/.exec(text) ?? [];
      stages.push({ image: filled(from, args), name: as, instructions: [] });
    } else if (stage !== undefined) {
      stage.instructions.push({ name, text });
    } else if (name === 'ARG') {
      const [, arg = '', value = ''] = /^(\w+)=(\S+)$/.exec(text) ?? [];
      args.set(arg, value);
    } else {
      throw new Error(`${name} comes before the first stage`);
    }
  }
  return stages;
}

/** The list of an instruction in its exec form; throws where it is a line for a shell. */
export function execForm(text: string): readonly string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}

function instructionsOf(file: string): Instruction[] {
  const lines = file.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  const joined = lines.join('\n').replaceAll(/\s*\\\n\s*/g, ' ');
  return joined.split('\n').map((line) => {
    const [, name = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`no instruction: ${line}`);
    return { name, text };
  });
}

function filled(text: string, args: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, arg: string) => {
    const value = args.get(arg);
    if (value === undefined) throw new Error(`no ARG ${arg}`);
    return value;
  });
}
