import Spinner from '@cloudscape-design/components/spinner';
import { Suspense, useEffect, useRef, useState } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { useRegions, useSessions } from '../api/context.ts';
import { type Role, reaches } from '../auth/who.ts';
import { Empty } from '../components/loaded.tsx';
import { Page } from '../components/page.tsx';
import { homeOf, PAGES } from '../pages.ts';
import { Navigation } from './navigation.tsx';
import { Notices } from './notices.tsx';
import { PageBoundary } from './page-boundary.tsx';
import { SignInPage } from './sign-in-page.tsx';
import { TopBar } from './top-bar.tsx';

/** Everything around a page. What a region's pages show is for who is signed in to it. */
export function Shell({ onRegion }: { readonly onRegion: (region: string) => void }) {
  const { region } = useRegions();
  const session = useSessions().all[region.id];
  const [path] = useLocation();
  const [navOpen, setNavOpen] = useState(false);
  const signedIn = session?.kind === 'signed-in';
  useFocusOnNewPage(path);
  return (
    <>
      <a className="sluice-skip" href="#main">
        Skip to the page
      </a>
      <TopBar
        onRegion={onRegion}
        pages={signedIn ? { open: navOpen, toggle: () => setNavOpen(!navOpen) } : undefined}
      />
      <div className="sluice-body">
        {signedIn && (
          <nav id="pages" aria-label="Pages" className={`sluice-nav${navOpen ? ' sluice-nav-open' : ''}`}>
            <Navigation onFollow={() => setNavOpen(false)} />
          </nav>
        )}
        <main id="main" className="sluice-main" tabIndex={-1}>
          <Notices>
            <PageBoundary place={`${region.id}${path}`}>
              <Suspense fallback={<Waiting />}>
                {signedIn ? (
                  <Pages role={session.who.role} key={region.id} />
                ) : session?.kind === 'restoring' ? (
                  <Waiting />
                ) : (
                  <SignInPage />
                )}
              </Suspense>
            </PageBoundary>
          </Notices>
        </main>
      </div>
    </>
  );
}

/** Where the viewer goes to another page, its beginning has the focus, so that it is what is read next. */
function useFocusOnNewPage(path: string): void {
  const [, page] = path.split('/');
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    const isFirst = before.current === '' || before.current === undefined;
    before.current = page;
    if (isFirst) return;
    document.getElementById('main')?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [page]);
}

function Waiting() {
  return (
    <div className="sluice-loading sluice-loading-large" role="status">
      <Spinner size="large" />
      <span className="sluice-hidden">Loading</span>
    </div>
  );
}

function Pages({ role }: { readonly role: Role }) {
  return (
    <Switch>
      {PAGES.map(({ path, role: needed, component: Content }) => (
        <Route key={path} path={path}>
          {reaches(role, needed) ? <Content /> : <NotForYou />}
        </Route>
      ))}
      <Route path="/">
        <Redirect to={homeOf(role)} replace />
      </Route>
      <Route>
        <Page title="No such page">
          <Empty>Choose one at the left.</Empty>
        </Page>
      </Route>
    </Switch>
  );
}

function NotForYou() {
  return (
    <Page title="Not for your role">
      <Empty>This page is for operators of the region.</Empty>
    </Page>
  );
}
