/** A finding of AwsSolutions that stays, and why. */
export type NagException = { readonly rule: RegExp; readonly path: RegExp; readonly reason: string };

export const NAG_EXCEPTIONS: readonly NagException[] = [
  {
    rule: /^AwsSolutions-IAM5\[Resource::(\*|<CanaryResults.*>\/checks\/\*|arn:aws:logs:.*:log-group:\/aws\/lambda\/cwsyn-.*)\]$/,
    path: /\/Observability\/Canary\/Role\/DefaultPolicy\/Resource$/,
    reason:
      'What CloudWatch Synthetics writes: results under one prefix, a log that it names itself, metrics of its own namespace, which are of no resource.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    path: /\/Release\/Clock\/Role\/DefaultPolicy\/Resource$/,
    reason:
      'What Step Functions calls to have its log delivered is of no resource; whatever else the role may is named.',
  },
  {
    rule: /^AwsSolutions-SF2$/,
    path: /\/Release\/Clock\/Machine$/,
    reason:
      'Its function does not trace either; history and log have every look, and what was decided is in the audit.',
  },
  {
    rule: /^AwsSolutions-(APIG4|COG4)$/,
    path: /\/RegionApi\/Api\//,
    reason:
      'Callers show API keys or tokens of many issuers, which the functions verify: no authorizer of API Gateway can.',
  },
  {
    rule: /^AwsSolutions-APIG2$/,
    path: /\/RegionApi\/Api\/Resource$/,
    reason:
      'API Gateway validates nothing, so that every refusal is ours, in one shape; handlers parse every body with zod.',
  },
  {
    rule: /^AwsSolutions-IAM4\[.*AmazonAPIGatewayPushToCloudWatchLogs\]$/,
    path: /\/RegionApi\/Api\/CloudWatchRole\/Resource$/,
    reason: 'The role by which API Gateway writes all logs of the account: AWS says which policy it has to have.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::.*\/artifacts\/\*\]$/,
    path: /\/(WorkerRole|Function-[a-z-]+\/Role)\/DefaultPolicy\/Resource$/,
    reason: 'Objects of the one prefix of model files: their names are digests, made as they are pushed.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::.*\/(tenants|captures|uploads)\/\*\]$/,
    path: /\/(WorkerRole|Function-[a-z-]+\/Role)\/DefaultPolicy\/Resource$/,
    reason: "Objects of one prefix, one a payload; what is in them only a tenant's data key opens.",
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::.*example-com-models\/\*\]$/,
    path: /\/Function-model-packages\/Role\/DefaultPolicy\/Resource$/,
    reason:
      'Models of the SageMaker registry in the bucket that the configuration names: where in it, its data scientists say.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::.*:model-package\/[a-z-]+\/\*\]$/,
    path: /\/Function-model-packages\/Role\/DefaultPolicy\/Resource$/,
    reason: 'Versions of one group of packages that the configuration names.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Action::kms:(GenerateDataKey|ReEncrypt)\*\]$/,
    path: /\/Function-(validate|notices)\/Role\/DefaultPolicy\/Resource$/,
    reason:
      "CDK's grant to send to an encrypted queue of failures: both actions have one more variant, of the same effect.",
  },
  {
    rule: /^AwsSolutions-IAM5\[(Action::kms:(GenerateDataKey|ReEncrypt)|Resource::.*(Artifacts|artifacts).*\/)\*\]$/,
    path: /\/ModelStore\/Artifacts\/ReplicationRole\/DefaultPolicy\/Resource$/,
    reason:
      'S3 copies objects from one bucket of model files to another; the rule of the bucket limits it to the prefix.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::arn:aws:ecs:.*:task\/sluice-prod-(us|eu)\/\*\]$/,
    path: /\/WorkerRole\/DefaultPolicy\/Resource$/,
    reason: 'A task protects itself, and has no name before it runs; the resource is the one cluster.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    path: /\/Ecs\/[a-z]+-Task\/ExecutionRole\/DefaultPolicy\/Resource$/,
    reason: 'ecr:GetAuthorizationToken is of no resource; images and logs are named.',
  },
  {
    rule: /^AwsSolutions-IAM5\[(Resource::\*|Action::ecs:Submit\*)\]$/,
    path: /\/Ecs\/[a-z]+-Capacity\/(OnDemand|Spot)Role\/DefaultPolicy\/Resource$/,
    reason:
      'What the ECS agent of an instance calls, for this cluster by condition; discovery and login are of no resource.',
  },
  {
    rule: /^AwsSolutions-AS3$/,
    path: /\/Ecs\/[a-z]+-Capacity\/(OnDemand|Spot)Group\/ASG$/,
    reason: 'ECS alone scales these groups, many times a day; what people are told of is work without workers.',
  },
  {
    rule: /^AwsSolutions-EC26$/,
    path: /\/Ecs\/[a-z]+-Capacity\/(OnDemand|Spot)Group\/ASG$/,
    reason: 'The rule does not look into the launch template of a mixed policy; that its disk is encrypted is tested.',
  },
  {
    rule: /^AwsSolutions-ECS2$/,
    path: /\/Ecs\/[a-z]+-Task\/Resource$/,
    reason:
      'The variables are names of resources and sizes; secrets are read from Secrets Manager by those who need them.',
  },
  {
    rule: /^AwsSolutions-SMG4$/,
    path: /\/Data\/(SigningKey|OperatorKey|CanaryKey)$/,
    reason:
      'Made by setup, not by a rotation: tokens live 15 minutes under one key; the first key of an admin is revoked after use; the one of checks is good for a request a second.',
  },
  {
    rule: /^AwsSolutions-IAM4\[.*\/(AmazonEKS[A-Za-z]+Policy|AmazonEC2ContainerRegistryReadOnly)\]$/,
    path: /\/Eks\/Cluster\/(Role|ClusternodePoolRole)\/Resource$/,
    reason: 'Auto Mode and its nodes act by policies that AWS writes, and changes as the mode does.',
  },
  {
    rule: /^AwsSolutions-(IAM4\[.*\]|IAM5\[Resource::.*KubectlProvider.*\]|L1)$/,
    path: /\/Eks\/Cluster\/KubectlProvider\//,
    reason:
      "CDK's own functions, which apply manifests while a stack is deployed: roles and runtime come with its version.",
  },
];
