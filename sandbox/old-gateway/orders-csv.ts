import { parse } from 'csv-parse/sync';

/** A row of the orders CSV, by the module's titles. */
type OrderRow = Readonly<Record<string, string | undefined>>;

/** An order as the scripts see it. */
export interface OldOrder {
  readonly id: number;
  /** Its first row, which gives what is the order's own. */
  readonly head: OrderRow;
  /** One for each product. */
  readonly rows: readonly OrderRow[];
}

/** Reads the orders CSV as far as it goes: nothing is checked. */
export function readOldOrders(bytes: Buffer): readonly OldOrder[] {
  const rows = parse(bytes, {
    bom: true,
    delimiter: ';',
    columns: true,
    relax_column_count: true,
    relax_quotes: true,
  }) as OrderRow[];
  const orders = new Map<number, { id: number; head: OrderRow; rows: OrderRow[] }>();
  for (const row of rows) {
    const id = Number(row.id_order);
    const order = orders.get(id);
    if (order === undefined) orders.set(id, { id, head: row, rows: [row] });
    else order.rows.push(row);
  }
  return [...orders.values()];
}

/** True for an order that a person is to type into Proshop. */
export function isPaidByGiftVoucher({ head }: OldOrder): boolean {
  return /cadeau/i.test(head.payment ?? '') || (head.voucher_code ?? '').startsWith('BC-');
}
