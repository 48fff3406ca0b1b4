import { Connection, LOCAL_TARGET, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Config } from '../config.ts';
import { TASK_QUEUE } from '../schedule.ts';
import { said, type Tell } from './finding.ts';
import { reach } from './host.ts';

/** Milliseconds for one answer. */
const PATIENCE = 5_000;

/** Milliseconds: a worker asks for work at least once a minute. Temporal names those that asked in the last five. */
const LONGEST_POLL = 90_000;

/** Seconds. */
const DAY = 24 * 60 * 60;

// Temporal's own numbers for what a task queue holds.
const WORKFLOWS = 1;
const ACTIVITIES = 2;

/**
 * Examines the cluster that the environment names, or the embedded server as it runs. The namespace's search attributes
 * are not looked at: passerelle has none of its own.
 */
export async function examineTemporal(config: Config, tell: Tell, signal: AbortSignal): Promise<void> {
  let place: ReturnType<typeof placeOf>;
  try {
    place = placeOf(config);
  } catch (error) {
    tell('fault', 'server', 'TEMPORAL_CONFIG_FILE', said(error));
    return;
  }
  const { options, namespace } = place;
  const address = options.address ?? LOCAL_TARGET;
  if (!config.externalTemporal && !(await isListening(address, signal))) {
    tell('warning', 'server', address);
    return;
  }
  let connection: Connection | undefined;
  try {
    connection = Connection.lazy({ ...options, connectTimeout: PATIENCE });
    await connection.ensureConnected();
    tell('ok', 'server', address);
    await examineNamespace(connection, namespace, config.temporal.retentionDays, tell);
  } catch (error) {
    tell('fault', 'server', address, said(error));
  } finally {
    await connection?.close();
  }
}

async function examineNamespace(
  connection: Connection,
  namespace: string,
  wantedDays: number,
  tell: Tell,
): Promise<void> {
  const { workflowService } = connection;
  const ask = <T>(question: () => Promise<T>) => connection.withDeadline(Date.now() + PATIENCE, question);
  try {
    const { config } = await ask(() => workflowService.describeNamespace({ namespace }));
    tell('ok', 'namespace', namespace);
    const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / DAY;
    tell(days < wantedDays ? 'warning' : 'ok', 'retention', String(wantedDays), days);
  } catch (error) {
    tell('fault', 'namespace', namespace, said(error));
    return;
  }
  const pollersOf = async (taskQueueType: number) => {
    const taskQueue = { name: TASK_QUEUE };
    const { pollers } = await ask(() =>
      workflowService.describeTaskQueue({ namespace, taskQueue, taskQueueType }),
    );
    const oldest = (Date.now() - LONGEST_POLL) / 1_000;
    return pollers.filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) > oldest);
  };
  const isPolling = (await pollersOf(WORKFLOWS)).length > 0 && (await pollersOf(ACTIVITIES)).length > 0;
  tell(isPolling ? 'ok' : 'warning', 'worker', TASK_QUEUE);
}

function placeOf({ externalTemporal, temporal }: Config): {
  readonly options: ConnectionOptions;
  readonly namespace: string;
} {
  if (!externalTemporal) return { options: { address: `127.0.0.1:${temporal.port}` }, namespace: 'default' };
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { options: connectionOptions, namespace: namespace ?? 'default' };
}

/** Where nobody listens, Temporal's client would wait for its whole patience. */
function isListening(address: string, signal: AbortSignal): Promise<boolean> {
  return reach(`http://${address}`, signal).then(
    () => true,
    () => false,
  );
}
