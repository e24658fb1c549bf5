import { UserData } from 'aws-cdk-lib/aws-ec2';
import { INSTANCE_FILE } from '../../adapters/aws/environment.ts';

/** Of an instance: where its own disk is mounted, for model files. */
export const INSTANCE_CACHE = '/var/lib/sluice/cache';
/** The user that workers are, in their image and as owner of their cache. */
export const WORKER_UID = 10_001;

const AGENT = {
  // A spot instance with a notice takes no new tasks and ends its own in time.
  ECS_ENABLE_SPOT_INSTANCE_DRAINING: 'true',
  // A task has its own role; the instance's is none of its business.
  ECS_AWSVPC_BLOCK_IMDS: 'true',
  ECS_CONTAINER_STOP_TIMEOUT: '120s',
  // An image baked into the machine image is not fetched again.
  ECS_IMAGE_PULL_BEHAVIOR: 'prefer-cached',
} as const;

/** How a GPU instance begins: the agent's settings, and its instance store, or the root disk where it has none, as cache. */
export function gpuUserData(): UserData {
  const data = UserData.forLinux();
  for (const [name, value] of Object.entries(AGENT)) data.addCommands(`echo ${name}=${value} >> /etc/ecs/ecs.config`);
  data.addCommands(
    `mkdir -p ${INSTANCE_CACHE}`,
    "disk=$(lsblk --noheadings --nodeps --output PATH,MODEL | awk '/Instance Storage/ { print $1; exit }')",
    `if [ -n "$disk" ]; then mkfs.xfs -f "$disk" && mount -o noatime,nodev,nosuid "$disk" ${INSTANCE_CACHE}; fi`,
    // What it is, for the worker's meter: a task may not ask.
    'metadata=http://169.254.169.254/latest',
    'token=$(curl -sf -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" $metadata/api/token)',
    'ask() { curl -sf -H "X-aws-ec2-metadata-token: $token" $metadata/meta-data/$1; }',
    `printf '{"instanceType":"%s","purchase":"%s"}' "$(ask instance-type)" "$(ask instance-life-cycle)" > ${INSTANCE_CACHE}/${INSTANCE_FILE}`,
    `chown ${WORKER_UID}:${WORKER_UID} ${INSTANCE_CACHE} && chmod 700 ${INSTANCE_CACHE}`,
  );
  return data;
}
