import { useApi } from '../../api/context.ts';
import { AlarmTable } from '../../components/alarm-table.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { useResource } from '../../data/use-resource.ts';

const EVERY_MS = 15_000;

export function AlarmsTab() {
  const api = useApi();
  const alarms = useResource('alarms', (signal) => api.call('alarm-list', { signal }), { everyMs: EVERY_MS });
  return (
    <Loaded of={alarms} minHeight="large">
      {({ items }) => (
        <AlarmTable alarms={items} title="Alarms" empty="Nothing was measured yet. It is once a minute." />
      )}
    </Loaded>
  );
}
