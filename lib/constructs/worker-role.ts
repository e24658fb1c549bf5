import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { WORKER_ACCESS } from '../access.ts';
import type { RegionResources } from '../region-resources.ts';
import { accessStatements } from './access-statements.ts';

/** What a worker on ECS may do: its work, and keep ECS from ending it before that is done. */
export function workerTaskRole(scope: Construct, id: string, resources: RegionResources): Role {
  const { account, region, partition } = Stack.of(scope);
  const role = new Role(scope, id, {
    assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnLike: { 'aws:SourceArn': `arn:${partition}:ecs:${region}:${account}:*` },
      },
    }),
  });
  for (const statement of accessStatements(WORKER_ACCESS, resources)) role.addToPolicy(statement);
  role.addToPolicy(
    new PolicyStatement({
      actions: ['ecs:UpdateTaskProtection', 'ecs:GetTaskProtection'],
      resources: [`arn:${partition}:ecs:${region}:${account}:task/${resources.cluster}/*`],
    }),
  );
  return role;
}
