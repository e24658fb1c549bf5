/** Plans to begin from; what a preset leaves out has its default. */
export type Preset = {
  readonly id: string;
  readonly label: string;
  readonly says: string;
  readonly plan: object | undefined;
};

const hold = (seconds: number, minRequests: number) => ({ hold: { seconds, minRequests } });

export const PRESETS: readonly Preset[] = [
  {
    id: 'manifest',
    label: 'As the version asks for',
    says: 'The plan in the manifest of the version; without one: shadow 10 %, then 5, 25, 50 and 100 %, ten minutes each.',
    plan: undefined,
  },
  {
    id: 'careful',
    label: 'With two people',
    says: 'Shadow, then 5 %; before half of all, two different people approve.',
    plan: {
      steps: [
        { shadow: 10, ...hold(600, 500) },
        { setWeight: 5, ...hold(1800, 500) },
        { gate: { people: 2 } },
        { setWeight: 50, ...hold(1800, 1000) },
        { setWeight: 100 },
      ],
      watch: { seconds: 3600 },
    },
  },
  {
    id: 'quick',
    label: 'Quick',
    says: 'A minute at 10 %, a minute at half, then everybody.',
    plan: {
      steps: [{ setWeight: 10, ...hold(60, 100) }, { setWeight: 50, ...hold(60, 200) }, { setWeight: 100 }],
      watch: { seconds: 900 },
    },
  },
  {
    id: 'tenant',
    label: 'One tenant first',
    says: 'A named tenant alone, then a person approves, then the others in steps.',
    plan: {
      steps: [
        { setWeight: { tenants: ['acme'] }, ...hold(600, 100) },
        { gate: { people: 1 } },
        { setWeight: 25, ...hold(600, 500) },
        { setWeight: 100 },
      ],
    },
  },
];
