// Run by limits.test.ts in a process of its own: `node --import tsx heavy-input.ts <case>`.
import { readOrders } from '../../src/domain/order-csv.ts';
import { planStock, stockUpdate } from '../../src/domain/stock-plan.ts';
import { readStock } from '../../src/domain/stock-csv.ts';
import { ORDERS_FORMAT, ordersCsv, STOCK_FORMAT, stockCsv } from '../domain/samples.ts';

const MILLION = 1_000_000;
const [HEADER = '', ROW = ''] = ordersCsv({}).toString().split('\r\n');
const STOCK_HEADER = stockCsv().toString('latin1').trimEnd();
const join = (...pieces: readonly (string | Buffer)[]) =>
  Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
const filled = (size: number, text = 'x') => Buffer.alloc(size, text);
const lines = (count: number, lineOf: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => `${lineOf(index)}\r\n`).join('');
const columns = Array.from({ length: MILLION }, (_, index) => `c${index}`).join(';');

const CASES: Readonly<Record<string, () => Buffer>> = {
  'line of 200 MB': () => filled(200 * MILLION, 'ab;'),
  'quote never closed, 200 MB': () => join(`${HEADER}\r\n"`, filled(200 * MILLION, 'a;b\n')),
  'header of a million columns': () => join(`${HEADER};${columns}\r\n${ROW}\r\n`),
  'row of a million columns': () => join(`${HEADER}\r\n${ROW}${';'.repeat(MILLION)}\r\n${ROW}\r\n`),
  'row of a million short columns': () => join(`${HEADER}\r\n${';'.repeat(MILLION)}\r\n${ROW}\r\n`),
  'field of 100 MB': () => join(`${HEADER}\r\n${ROW.replace('Bottine', '')}`, filled(100 * MILLION), '\r\n'),
  'vouchers of 1 MB': () => ordersCsv({ voucher_tax_incl: `1${',1'.repeat(500_000)}` }),
  'barcodes of 1 MB': () => ordersCsv({ product_ean13: `1${',1'.repeat(500_000)}` }),
  'a million unreadable rows': () =>
    join(
      `${HEADER}\r\n`,
      lines(MILLION, (index) => ROW.replace('1042', '').replace('QWERTYUIO', `R${index}`)),
    ),
  '100000 orders with garbage': () =>
    join(
      `${HEADER}\r\n`,
      lines(100_000, (index) =>
        ROW.replace('1042', `${index + 1}`).replace('3600000000017', index % 3 === 0 ? `x${index}` : '$&'),
      ),
    ),
  'stock: line of 200 MB': () => filled(200 * MILLION, 'ab;'),
  'stock: quote never closed, 200 MB': () => join(`${STOCK_HEADER}\r\n"`, filled(200 * MILLION, 'a;b\n')),
  'stock: header of a million columns': () => join(`${STOCK_HEADER};${columns}\r\n`),
  'stock: field of 100 MB': () =>
    join(`${STOCK_HEADER}\r\n;;;`, filled(100 * MILLION), ';38;3600000000017;;1;008\r\n'),
  'stock: fields of 1 MB': () =>
    join(
      `${STOCK_HEADER}\r\n`,
      ...Array.from({ length: 50 }, (_, index) => [
        `;;;M${index};`,
        filled(500_000),
        `;${3_600_000_000_000 + index};;`,
        filled(500_000),
        ';009\r\n',
      ]).flat(),
    ),
  'stock: a million unreadable rows': () =>
    join(
      `${STOCK_HEADER}\r\n`,
      lines(MILLION, (index) => `;;;MOD${index};38;x${index};59,90;q${index};008`),
    ),
};

const bytes = CASES[process.argv[2] ?? '']?.() ?? Buffer.alloc(0);
const before = process.memoryUsage().rss;
const said = process.argv[2]?.startsWith('stock') ? readStockFile() : readOrdersFile();
console.log(
  JSON.stringify({
    said,
    grownMb: (process.resourceUsage().maxRSS * 1024 - before) / MILLION,
  }),
);

function readOrdersFile(): string {
  try {
    const { orders, setAside, rows } = readOrders(bytes, 'commandes', ORDERS_FORMAT);
    return `${rows} rows, ${orders.length} orders, ${setAside.length} set aside: ${setAside[0]?.reason}`;
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

/** What goes into Temporal's history, as the activities cut it. */
function readStockFile(): string {
  const stock = readStock(bytes, 'ExportCSV', STOCK_FORMAT);
  const plan = planStock(stock, {
    outstanding: { byEan: new Map(), byReference: new Map() },
    applied: new Map(),
    protectedProducts: [],
    mode: 'subtract',
  });
  let written = 0;
  for (const block of stockUpdate(stock, plan)) written += block.length;
  const history = JSON.stringify([
    stock.doubts.slice(0, 20),
    plan.doubts.slice(0, 20),
    plan.setAside.slice(0, 20),
    plan.difference.largest.map((change) => ({ ...change, reference: '' })),
  ]);
  return `${stock.rows} rows, ${stock.unreadable.length} unreadable, ${written > 0}, ${history.length < 50_000 ? '' : `history of ${history.length}`}: ${[...stock.doubts, ...plan.doubts].map(({ message }) => message).join(' ')}`;
}
