import { secretsManagerClient } from '../../adapters/aws/clients.ts';
import { readSetupEnvironment } from '../../adapters/aws/environment.ts';
import { Secrets } from '../../adapters/aws/secrets.ts';
import { newSigningKey } from '../../adapters/identity/signing-key.ts';
import { ensureCanary } from '../../core/tenancy/canary.ts';
import { ensureOperatorKey } from '../../core/tenancy/first-operator-key.ts';
import { ensurePlans } from '../../core/tenancy/manage-plans.ts';
import { start } from './main.ts';
import { openLambdaRegion } from './region.ts';

/** As a custom resource it is told what happens to the stack; as a trigger, nothing. */
type SetupEvent = { readonly RequestType?: 'Create' | 'Update' | 'Delete' };

/** What a region needs before it can be used: plans, the key that signs tokens, the first key of an admin, the canary. Again is harmless. */
export const handler = await start((lambda) => {
  const { environment, endpoints, variables, clock, log } = lambda;
  const { operatorKeySecret, canaryKeySecret } = readSetupEnvironment(variables);
  const { registry } = openLambdaRegion(lambda);
  const secrets = new Secrets(
    secretsManagerClient({ region: environment.awsRegion, endpoint: endpoints.secretsManager }),
  );
  return async (event?: SetupEvent): Promise<{ PhysicalResourceId: string }> => {
    if (event?.RequestType !== 'Delete') {
      await ensurePlans({ registry });
      await secrets.readOrPut(environment.signingKeySecret, newSigningKey);
      await ensureOperatorKey({ registry, clock }, environment.region, (make) =>
        secrets.readOrPut(operatorKeySecret, make),
      );
      await ensureCanary({ registry, clock }, environment.region, (make) => secrets.readOrPut(canaryKeySecret, make));
      log.info('the region is set up');
    }
    return { PhysicalResourceId: `${environment.deployment}-${environment.region}-setup` };
  };
});
