import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useRegions, useSessions } from '../api/context.ts';

/** What is shown of a region to whom it does not know. */
export function SignInPage() {
  const { region } = useRegions();
  const { sessions, all } = useSessions();
  const session = all[region.id];
  const [leaving, setLeaving] = useState(false);
  const signIn = async () => {
    setLeaving(true);
    await sessions.signIn(region.id, `${location.pathname}${location.search}${location.hash}`);
    setLeaving(false);
  };
  return (
    <div className="sluice-sign-in">
      <Container header={<Header variant="h1">Sign in to {region.id}</Header>}>
        <SpaceBetween size="l">
          {session?.kind === 'signed-out' && session.why !== undefined && <Alert type="info">{session.why}</Alert>}
          <Box>
            You are taken to <code>{new URL(region.issuer).host}</code> and come back to this page.
          </Box>
          <Button variant="primary" onClick={() => void signIn()} loading={leaving} fullWidth>
            Sign in
          </Button>
        </SpaceBetween>
      </Container>
    </div>
  );
}
