import iconv from 'iconv-lite';
import { upload, withFtp } from '../ftp-access.ts';
import { LAYOUT } from '../sandbox.ts';
import { isPaidByGiftVoucher, readOldOrders } from './orders-csv.ts';
import type { ScriptWorld } from './script.ts';
import { clockTime, downloadIfThere, ORDERS, STARTING } from './script.ts';

/**
 * The script test2_csv: makes ExportCSVmod of ExportCSV. Models of which the import missed a sale (an order of the second
 * export that was not sent) lose all their rows, so that the shop shows 0 of them until the next half hour; the gift
 * vouchers get a row each. Its gaps:
 * - it copies any ExportCSV: an old one, one that Proshop is still writing, one of which half is missing;
 * - it takes no sale for missed that was sent and that Proshop has not taken, nor one paid with a gift voucher: such units
 *   are on sale again until somebody notices;
 * - it gives each gift voucher the same units every time, so that those that were sold come back;
 * - an order that can never be sent keeps its models at 0 for as long as the module repeats it.
 * @throws whatever it dies of
 */
export async function test2Csv({ folder, ftp, clock, gaps, vouchers }: ScriptWorld): Promise<void> {
  await clock.pass(STARTING);
  await withFtp(ftp, async (client) => {
    const stock = await downloadIfThere(client, `/${LAYOUT.stock.name}`);
    const csv = await downloadIfThere(client, ORDERS);
    if (stock === undefined) {
      folder.write('Trace2', `${clockTime(clock)} pas de fichier ${LAYOUT.stock.name}`);
      return;
    }
    const sent = gaps.memory === 'list' ? folder.sent() : new Set<number>();
    const missed = (csv === undefined ? [] : readOldOrders(csv)).filter(
      (order) => !isPaidByGiftVoucher(order) && !sent.has(order.id),
    );
    const models = new Set(missed.flatMap(({ rows }) => rows.map((row) => row.product_reference)));
    const [header = '', ...rows] = iconv
      .decode(stock, 'windows-1252')
      .split('\r\n')
      .filter((row) => row !== '');
    const model = header.split(';').indexOf('Modele');
    const update = [
      header,
      ...rows.filter((row) => !models.has(row.split(';')[model])),
      ...vouchers.map(({ reference, units }) => `;;;${reference};;;;${units};`),
    ];
    const text = update.map((row) => `${row}\r\n`).join('');
    await upload(client, `/${LAYOUT.stock.update}`, iconv.encode(text, 'windows-1252'));
    const removed = missed.length === 0 ? '' : ` ; retiré : ${[...models].join(' ')}`;
    folder.write('Trace2', `${clockTime(clock)} ${update.length - 1} ligne(s)${removed}`);
  });
}
