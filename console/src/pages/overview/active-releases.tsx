import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { Overview } from '../../api/api.ts';
import { Empty } from '../../components/loaded.tsx';
import { PageLink } from '../../components/page-link.tsx';

/** Releases under way: what share of traffic each candidate has. */
export function ActiveReleases({ releases }: { readonly releases: Overview['active_releases'] }) {
  return (
    <Container
      header={
        <Header variant="h2" counter={`(${releases.length})`}>
          Active releases
        </Header>
      }
    >
      {releases.length === 0 ? (
        <Empty>No release is under way.</Empty>
      ) : (
        <SpaceBetween size="m">
          {releases.map((each) => (
            <ProgressBar
              key={each.release}
              value={each.weight_percent}
              label={
                <PageLink to={`/releases/${encodeURIComponent(each.release)}`}>
                  {each.model}: {each.candidate}
                </PageLink>
              }
              description={`${each.phase}, over ${each.stable}`}
              ariaLabel={`Share of ${each.candidate} of ${each.model}`}
            />
          ))}
        </SpaceBetween>
      )}
    </Container>
  );
}
