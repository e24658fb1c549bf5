import { useMemo } from 'react';
import { Redirect, Router, useLocation } from 'wouter';
import type { ConsoleConfig } from './api/config.ts';
import { ConsoleContext } from './api/context.ts';
import type { Sessions } from './auth/sessions.ts';
import { Shell } from './shell/shell.tsx';

const BASE = import.meta.env.BASE_URL.replace(/\/$/, '');

/** Addresses are `/console/<region>/<page>`: a link names the region that it is about. */
export function App({ config, sessions }: { readonly config: ConsoleConfig; readonly sessions: Sessions }) {
  return (
    <Router base={BASE}>
      <InRegion config={config} sessions={sessions} />
    </Router>
  );
}

function InRegion({ config, sessions }: { readonly config: ConsoleConfig; readonly sessions: Sessions }) {
  const [path, navigate] = useLocation();
  const [, id = ''] = path.split('/');
  const region = config.regions.find((each) => each.id === id);
  const context = useMemo(() => region && { config, sessions, region }, [config, sessions, region]);
  if (context === undefined) return <Redirect to={`/${config.region}${path === '/' ? '' : path}`} replace />;
  return (
    <ConsoleContext value={context}>
      <Router base={`/${id}`} key={id}>
        <Shell onRegion={(chosen) => navigate(`/${chosen}${pageOf(path)}`)} />
      </Router>
    </ConsoleContext>
  );
}

/** The page that is open, without what it shows of one region alone: ids mean nothing in another. */
function pageOf(path: string): string {
  const [, , page] = path.split('/');
  return page === undefined ? '' : `/${page}`;
}
