import { printable } from './damage.ts';
import type { Survey } from './survey.ts';

const MOST_SHOWN = 5;

/** `opset 17, 142 nodes (MatMul 36, Add 30, …), 22.7 M parameters, exported by skl2onnx 1.14`. */
export function summarize({ opsets, operators, parameters, producer, producerVersion }: Survey): string {
  const uses = [...operators.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  const nodes = uses.reduce((sum, { count }) => sum + count, 0);
  const shown = uses.slice(0, MOST_SHOWN).map(({ name, count }) => `${printable(name)} ${count}`);
  const more = uses.length > MOST_SHOWN ? ', …' : '';
  const sets = [...opsets].map(([domain, version]) => `${domain === '' ? 'opset' : printable(domain)} ${version}`);
  return [
    sets.slice(0, MOST_SHOWN).join(' + '),
    `${nodes === 1 ? 'one node' : `${nodes.toLocaleString('en-US')} nodes`} (${shown.join(', ')}${more})`,
    ...(parameters > 0 && Number.isFinite(parameters)
      ? [parameters === 1 ? 'one parameter' : `${rounded(parameters)} parameters`]
      : []),
    ...(producer === '' ? [] : [`exported by ${printable(`${producer} ${producerVersion}`, 60)}`]),
  ].join(', ');
}

function rounded(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  return count >= 1e4 ? `${(count / 1e3).toFixed(0)} k` : Math.round(count).toLocaleString('en-US');
}
