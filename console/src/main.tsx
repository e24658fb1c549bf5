import '@cloudscape-design/global-styles/index.css';
import './shell/console.css';
import { createRoot } from 'react-dom/client';
import { loadConfig } from './api/config.ts';
import { identify } from './api/identify.ts';
import { App } from './app.tsx';
import { Sessions } from './auth/sessions.ts';
import { startTheme } from './shell/theme.ts';

startTheme();
const root = document.getElementById('root');
if (root === null) throw new Error('no root in the page');
try {
  const config = await loadConfig();
  const sessions = new Sessions(config, identify);
  const here = `${location.pathname}${location.search}${location.hash}`;
  const base = import.meta.env.BASE_URL;
  const named = location.pathname.slice(base.length).split('/')[0];
  const current = config.regions.find(({ id }) => id === named)?.id ?? config.region;
  const goOnAt = await sessions.start(current, here);
  if (goOnAt !== here) history.replaceState(null, '', goOnAt);
  createRoot(root).render(<App config={config} sessions={sessions} />);
} catch (error) {
  root.textContent = `The console cannot start: ${error instanceof Error ? error.message : String(error)}. Load the page anew.`;
}
