import { Readable } from 'node:stream';
import iconv from 'iconv-lite';
import { withFtp } from '../ftp-access.ts';
import { LAYOUT } from '../sandbox.ts';
import { oldSalesXml } from './old-sales-xml.ts';
import type { OldOrder } from './orders-csv.ts';
import { isPaidByGiftVoucher, readOldOrders } from './orders-csv.ts';
import type { ScriptWorld } from './script.ts';
import { clockTime, downloadIfThere, ORDERS, STARTING } from './script.ts';

/** Sandbox milliseconds from the first byte in `import/` to the last. */
const UPLOADING = 2_000;

/**
 * The script test9_xml: makes sales XML of the orders CSV, all orders but those that are sent already or paid with gift
 * vouchers. Its gaps, besides those in gaps.ts:
 * - it reads whatever file stands there: an old one, one that is being written, or none, when the shop's export is late. Its
 *   orders are then sent half an hour later, or never, when the next export has overwritten them;
 * - it uploads straight to the final name in `import/`, where Proshop may find half a file;
 * - it does not look whether Proshop took its last file, nor whether it is Proshop's minute: an order is sent once it is
 *   uploaded, and what dies between the upload and the list is sent again;
 * - where it dies, Trace1 gets no line: nobody sees it.
 * @throws whatever it dies of
 */
export async function test9Xml({ folder, ftp, clock, gaps, salesPrefix }: ScriptWorld): Promise<void> {
  await clock.pass(STARTING);
  await withFtp(ftp, async (client) => {
    const csv = await downloadIfThere(client, ORDERS);
    if (csv === undefined) {
      folder.write('Trace1', `${clockTime(clock)} pas de fichier de commandes`);
      return;
    }
    const sent = gaps.memory === 'list' ? folder.sent() : new Set<number>();
    const orders = readOldOrders(csv).filter(
      (order) =>
        !isPaidByGiftVoucher(order) &&
        !sent.has(order.id) &&
        !gaps.misses(order.id) &&
        (gaps.blankGencod || hasGencods(order)),
    );
    const time = clockTime(clock);
    const numbers = orders.map((order) => order.id);
    if (orders.length > 0) {
      const encoding = gaps.diesOfCharacters ? 'windows-1252' : 'utf-8';
      const bytes = encodedStrictly(oldSalesXml(orders, time, encoding), encoding);
      // `2026-11-24 10:57:04` as `20261124-105704`
      const stamp = time.replaceAll(/[-:]/g, '').replace(' ', '-');
      const name = gaps.overwrites ? `${salesPrefix}.xml` : `${salesPrefix}-${stamp}.xml`;
      const inTwoPieces = async function* () {
        yield bytes.subarray(0, bytes.length / 2);
        await clock.pass(UPLOADING);
        yield bytes.subarray(bytes.length / 2);
      };
      await client.uploadFrom(
        Readable.from(inTwoPieces(), { objectMode: false }),
        `${LAYOUT.import}/${name}`,
      );
      if (gaps.memory === 'list') folder.addSent(numbers);
      folder.keep(`${salesPrefix}-${stamp}.xml`, bytes);
    }
    if (gaps.memory === 'mark') await client.remove(ORDERS);
    folder.write('Trace1', `${time} ${orders.length} commande(s) : ${numbers.join(' ')}`);
  });
}

function hasGencods({ rows }: OldOrder): boolean {
  return rows.every((row) => row.product_ean13 !== '');
}

/** @throws for a character that the encoding lacks, as Python does */
function encodedStrictly(text: string, encoding: string): Buffer {
  const bytes = iconv.encode(text, encoding);
  if (iconv.decode(bytes, encoding) !== text)
    throw new Error("UnicodeEncodeError: 'charmap' codec can't encode character");
  return bytes;
}
