/*
 * Physical names, where something outside a stack must know one before it is deployed: another region, a process that is
 * told only its region, a person. Everything else is named by CloudFormation.
 */

/** Beginning of every name of a region; a deployment's name in it, so that two share an account. */
export function regionPrefix(deployment: string, region: string): string {
  return `sluice-${deployment}-${region}`;
}

export function stackName(deployment: string, region: string, stack: string): string {
  return `${regionPrefix(deployment, region)}-${stack}`;
}

/** The global table has the same name in every region. */
export function directoryTableName(deployment: string): string {
  return `sluice-${deployment}-directory`;
}

export function tableName(deployment: string, region: string, table: string): string {
  return `${regionPrefix(deployment, region)}-${table}`;
}

/** Bucket names are the world's: the account makes it ours. Replication needs the name before the bucket is there. */
export function bucketName(deployment: string, region: string, account: string, bucket: string): string {
  return `${regionPrefix(deployment, region)}-${bucket}-${account}`;
}

export function settingsParameterName(deployment: string, region: string): string {
  return `/sluice/${deployment}/${region}/settings`;
}

/** Output of a region's foundation under which other regions find its key. */
export const REGION_KEY_OUTPUT = 'RegionKeyArn';
