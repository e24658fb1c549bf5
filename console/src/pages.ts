import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import { type Role, reaches, type Who } from './auth/who.ts';

export type PageRoute = {
  /** Within a region, as wouter matches it: `/releases/:release`. */
  readonly path: string;
  /** In the navigation; left out for pages that are reached from others. */
  readonly nav?: { readonly text: string; readonly section: 'Serving' | 'Watching' | 'Running' };
  /** The weakest role that it is for. */
  readonly role: Role;
  /** Only for viewers with a tenant of their own, which operators have none. */
  readonly ownTenant?: true;
  readonly component: LazyExoticComponent<ComponentType>;
};

/** Pages load when they are first opened. */
function page<Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name) {
  return lazy(async () => ({ default: (await load())[name] }));
}

/** Every page of a region. Parameters are read with `useParams()`. */
export const PAGES: readonly PageRoute[] = [
  {
    path: '/overview',
    nav: { text: 'Overview', section: 'Watching' },
    role: 'operator',
    component: page(() => import('./pages/overview/overview-page.tsx'), 'OverviewPage'),
  },
  {
    path: '/releases',
    nav: { text: 'Releases', section: 'Serving' },
    role: 'operator',
    component: page(() => import('./pages/releases/releases-page.tsx'), 'ReleasesPage'),
  },
  {
    path: '/releases/start',
    role: 'operator',
    component: page(() => import('./pages/releases/start-page.tsx'), 'StartReleasePage'),
  },
  {
    path: '/releases/:release',
    role: 'operator',
    component: page(() => import('./pages/releases/release-page.tsx'), 'ReleasePage'),
  },
  {
    path: '/models',
    nav: { text: 'Models', section: 'Serving' },
    role: 'operator',
    component: page(() => import('./pages/models/models-page.tsx'), 'ModelsPage'),
  },
  {
    path: '/models/:model',
    role: 'operator',
    component: page(() => import('./pages/models/model-page.tsx'), 'ModelPage'),
  },
  {
    path: '/models/:model/versions/:version',
    role: 'operator',
    component: page(() => import('./pages/models/version-page.tsx'), 'VersionPage'),
  },
  {
    path: '/quality',
    nav: { text: 'Quality', section: 'Watching' },
    role: 'tenant-admin',
    component: page(() => import('./pages/quality/quality-page.tsx'), 'QualityPage'),
  },
  {
    path: '/quality/:model',
    role: 'tenant-admin',
    component: page(() => import('./pages/quality/model-quality-page.tsx'), 'ModelQualityPage'),
  },
  {
    path: '/tenants',
    nav: { text: 'Tenants', section: 'Running' },
    role: 'operator',
    component: page(() => import('./pages/tenants/tenants-page.tsx'), 'TenantsPage'),
  },
  {
    path: '/tenants/:tenant/:tab?',
    role: 'operator',
    component: page(() => import('./pages/tenants/tenant-page.tsx'), 'TenantPage'),
  },
  {
    path: '/account/:tab?',
    nav: { text: 'Account', section: 'Running' },
    role: 'tenant-admin',
    ownTenant: true,
    component: page(() => import('./pages/tenants/tenant-page.tsx'), 'OwnTenantPage'),
  },
  {
    path: '/operations/:tab?',
    nav: { text: 'Operations', section: 'Running' },
    role: 'tenant-admin',
    component: page(() => import('./pages/operations/operations-page.tsx'), 'OperationsPage'),
  },
];

/** Where somebody of a role begins. */
export function homeOf(role: Role): string {
  if (!reaches(role, 'operator')) return '/account';
  const found = PAGES.find(({ nav, role: needed }) => nav !== undefined && needed === role);
  return found === undefined ? '/operations' : addressOf(found);
}

/** Where a page is, without its parameters. */
export function addressOf({ path }: PageRoute): string {
  return path.replace(/\/:.*$/, '');
}

/** True if the page is for somebody like this. */
export function isFor({ role, ownTenant }: PageRoute, who: Who): boolean {
  return reaches(who.role, role) && (ownTenant !== true || who.tenant !== undefined);
}
