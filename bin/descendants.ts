import { readdirSync, readFileSync } from 'node:fs';

/** Ids of all processes below `ancestor`, by the process table of Linux. */
export function descendantsOf(ancestor: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const parent = Number.isInteger(pid) ? parentOf(pid) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  for (let next = [ancestor]; next.length > 0; ) {
    next = next.flatMap((pid) => children.get(pid) ?? []);
    found.push(...next);
  }
  return found;
}

function parentOf(pid: number): number | undefined {
  const field = processFields(pid)?.[1];
  return field === undefined ? undefined : Number(field);
}

/** State, parent and so on: what stands behind the name, which may hold anything. undefined: there is no such process. */
export function processFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
