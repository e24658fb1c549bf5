import { HEALTH_FILE, isHealthy } from './health.ts';

/** `--health` is the container's health check: it ends with 0 if the worker in this container is well. */
if (process.argv.includes('--health')) {
  process.exitCode = (await isHealthy(HEALTH_FILE, Date.now())) ? 0 : 1;
} else {
  const { runHost } = await import('./host.ts');
  await runHost(process);
}
