// Saves the history of a closed cycle for test/replay.test.ts, without what names a machine.
//   npx tsx scripts/save-history.ts <address> <workflow id> <name>
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

const [address, workflowId, name] = process.argv.slice(2);
if (address === undefined || workflowId === undefined || name === undefined) {
  throw new Error('Expected an address, a workflow id and a name');
}
const connection = await Connection.connect({ address });
const history = await new Client({ connection }).workflow.getHandle(workflowId).fetchHistory();
const text = JSON.stringify(JSON.parse(historyToJSON(history)), null, 1)
  .replace(/"\d+@[^"]*"/g, '"worker"')
  .replace(/"stackTrace": "[^"]*"/g, '"stackTrace": ""');
await writeFile(join(import.meta.dirname, '..', 'test', 'histories', `${name}.json`), `${text}\n`, {
  flag: 'wx',
});
await connection.close();
