import { Big } from 'big.js';
import { z } from 'zod';
import type { CsvRow } from './csv-rows.ts';
import { isGencod } from './gencod.ts';
import type { Column, OrdersHeader } from './order-header.ts';
import type { Decimal, Order, OrderLine, SoldLine } from './order.ts';
import type { CsvFormat } from './text-file.ts';

type Mark = CsvFormat['decimalMark'];

/** Why a row cannot be taken. */
export interface Fault {
  readonly line: number;
  /** Null when it is the row as a whole. */
  readonly column: Column | null;
  readonly expected: string;
  readonly got: string;
}

/** One row of an orders file, as far as it could be read. */
export interface OrderRow {
  readonly line: number;
  /** Null when it is no number. */
  readonly id: string | null;
  readonly reference: string;
  /** The order but for its lines. Undefined when not asked for, or when unreadable. */
  readonly head: Omit<Order, 'lines'> | undefined;
  readonly product: OrderLine | undefined;
  readonly sold: SoldLine | null;
  /** The first fault, none when the row can be taken. */
  readonly fault: Fault | undefined;
}

type HeadRow = z.output<ReturnType<typeof rowSchemas>['head']>;
type ProductRow = z.output<ReturnType<typeof rowSchemas>['product']>;

const MOST_UNITS = 1_000_000;
const ID = /^[1-9]\d{0,14}$/;

/** Makes the reader of rows that stand under a header. Only an order's first row is asked for its head. */
export function orderRowReader({ width, columns }: OrdersHeader, mark: Mark) {
  const schemas = rowSchemas(mark);
  const headColumns = columns.filter(({ group }) => group !== 'line');
  const productColumns = columns.filter(({ group }) => group === 'line');
  const columnOf = (group: unknown, field: unknown) =>
    columns.find((column) => column.group === group && column.field === field) ?? null;
  const idColumn = columnOf('order', 'id');
  const referenceColumn = columnOf('order', 'reference');

  return (row: CsvRow, wantsHead: (id: string) => boolean): OrderRow => {
    const { line, fields } = row;
    const textOf = (column: Column | null) => withoutNul(fields[column?.index ?? -1] ?? '');
    const id = textOf(idColumn).trim();
    const texts = textsOf(fields, productColumns);
    const partial = {
      line,
      id: ID.test(id) ? id : null,
      reference: textOf(referenceColumn),
      sold: soldLine(texts, mark),
    };
    if (fields.length !== width) {
      const fault = { line, column: null, expected: `${width} fields`, got: `${fields.length}` };
      return { ...partial, head: undefined, product: undefined, fault };
    }
    const head = wantsHead(id) ? schemas.head.safeParse(textsOf(fields, headColumns)) : undefined;
    const product = schemas.product.safeParse(texts);
    const issue = head?.error?.issues[0] ?? product.error?.issues[0];
    const column = columnOf(issue?.path[0], issue?.path[1]);
    return {
      ...partial,
      head: head?.data && toOrder(head.data, mark),
      product: product.data && toLine(product.data, mark),
      fault: issue && { line, column, expected: issue.message, got: textOf(column) },
    };
  };
}

/** Maps what the rows of an order repeat to our model. */
function toOrder({ order, customer, delivery, invoice }: HeadRow, mark: Mark): Omit<Order, 'lines'> {
  return {
    ...order,
    id: Number(order.id),
    voucherAmount: sum(order.voucherAmount, mark),
    total: decimal(order.total, mark),
    totalWithoutTax: decimal(order.totalWithoutTax, mark),
    shipping: sum(order.shipping, mark),
    discounts: sum(order.discounts, mark),
    customer,
    delivery,
    invoice,
  };
}

/** Maps one product of an order to our model. */
function toLine({ line }: ProductRow, mark: Mark): OrderLine {
  return { ...line, quantity: unitsOf(line.quantity), unitPrice: decimal(line.unitPrice, mark) };
}

function decimal(text: string, mark: Mark): Decimal {
  return text.replace(mark, '.');
}

function sum(texts: string, mark: Mark): Decimal {
  const amounts = texts.match(mark === '.' ? /[^,]+/g : /[^,]+(?:,[^,]+)?/g) ?? [];
  const [first = '0', ...others] = amounts.map((text) => decimal(text, mark));
  return others.length === 0
    ? first
    : others.reduce((total, next) => total.plus(next), new Big(first)).toFixed();
}

type Texts = Record<string, Record<string, string | undefined>>;

function textsOf(fields: readonly string[], columns: readonly Column[]): Texts {
  const texts: Texts = { order: {}, customer: {}, delivery: {}, invoice: {}, line: {} };
  for (const { group, field, index } of columns)
    (texts[group] ??= {})[field] = withoutNul(fields[index] ?? '');
  return texts;
}

/** Their words, field by field, under our names. A field that has no column is empty, an amount 0. */
function rowSchemas(mark: Mark) {
  const number = `-?\\d+(?:\\${mark}\\d+)?`;
  const expected = `a number with \`${mark}\` as decimal mark`;
  const text = z.string().default('');
  const amount = z
    .string()
    .regex(new RegExp(`^${number}$`), expected)
    .default('0');
  // Empty without a voucher; the module joins the amounts of several vouchers with commas.
  const amounts = z
    .string()
    .regex(new RegExp(`^(?:${number}(?:,${number})*)?$`), expected)
    .default('');
  const address = z.object({
    company: text,
    firstname: text,
    lastname: text,
    address1: text,
    address2: text,
    postcode: text,
    city: text,
    country: text,
    phone: text,
  });
  return {
    head: z.object({
      order: z.object({
        id: z.string().trim().regex(ID, 'a whole number of 1 or more'),
        reference: text,
        state: text,
        status: text,
        date: z
          .string()
          .regex(/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?$/, 'a time such as `2026-11-24 10:20:00`')
          .default(''),
        payment: text,
        paymentModule: text,
        transaction: text,
        voucherName: text,
        voucherCode: text,
        voucherAmount: amounts,
        total: amount,
        totalWithoutTax: amount,
        shipping: amounts,
        discounts: amounts,
      }),
      customer: z.object({ firstname: text, lastname: text, email: text }),
      delivery: address,
      invoice: address,
    }),
    product: z.object({
      line: z.object({
        ean: z.string().trim().refine(isGencod, 'a barcode of 8 to 14 digits'),
        reference: text,
        name: text,
        quantity: z
          .string()
          .trim()
          .regex(wholeNumber(mark), 'a whole number')
          .refine(
            (units) => unitsOf(units) > 0 && unitsOf(units) <= MOST_UNITS,
            `a whole number from 1 to ${MOST_UNITS}`,
          ),
        unitPrice: amount,
        size: text,
        supplier: text,
        brand: text,
        productId: text,
        variantId: text,
      }),
    }),
  };
}

// What cannot be read may have been sold all the same: it counts as one unit at least.
function soldLine({ line }: Texts, mark: Mark): SoldLine | null {
  const quantity = line?.quantity?.trim() ?? '';
  const isReadable = wholeNumber(mark).test(quantity) && unitsOf(quantity) <= MOST_UNITS;
  const units = isReadable ? unitsOf(quantity) : 1;
  const ean = line?.ean?.trim() ?? '';
  const reference = line?.reference ?? '';
  const isNameless = !isGencod(ean) && reference === '';
  return units > 0 && !isNameless ? { ean: isGencod(ean) ? ean : null, reference, quantity: units } : null;
}

// PostgreSQL takes no NUL in a text, and XML no more.
function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}

// The module can be set to write every number with decimals: `1.000`.
function wholeNumber(mark: Mark): RegExp {
  return new RegExp(`^-?\\d+(?:\\${mark}0+)?$`);
}

function unitsOf(wholeNumber: string): number {
  return Number.parseInt(wholeNumber, 10);
}
