import { readOrders, type OrdersFormat } from '../domain/order-csv.ts';
import { isPaidWithVoucher, type Order, type VoucherRule } from '../domain/order.ts';
import { salesXml, type SalesTemplate } from '../domain/sales-xml.ts';
import { compareXml, type Difference } from './compare-xml.ts';
import type { Reject } from './explain-orders.ts';
import { readSentSales } from './read-sales-xml.ts';

/** A file as it was read. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An orders file, and the sales file that was made of it. */
export interface SalesPair {
  readonly orders: NamedBytes;
  readonly xml: NamedBytes;
}

export interface SalesCheck {
  /** Orders that were rendered. */
  readonly orders: number;
  /** Numbers of the orders paid with a gift voucher, which are not sent. */
  readonly byHand: readonly number[];
  /** Orders that cannot be read, and are not sent. */
  readonly rejects: readonly Reject[];
  /** Where the rendered file is not the one that was sent. */
  readonly differences: readonly Difference[];
  /** Dates of the rendering, which cannot be the same: both look as the template says. */
  readonly dates: readonly Difference[];
}

/** The orders that are sent, in the order in which they are: by their number. */
export interface SentOrders {
  readonly orders: readonly Order[];
  readonly byHand: readonly number[];
  readonly rejects: readonly Reject[];
}

/** @throws {FormatError} when the file as a whole is not what the format says */
export function readSentOrders(
  { name, bytes }: NamedBytes,
  format: OrdersFormat,
  voucher: VoucherRule,
): SentOrders {
  const { orders, setAside } = readOrders(bytes, name, format);
  const isByHand = (order: Order) => isPaidWithVoucher(order, voucher);
  return {
    orders: orders.filter((order) => !isByHand(order)).sort((a, b) => a.id - b.id),
    byHand: orders.filter(isByHand).map(({ id }) => id),
    rejects: setAside.map(({ line, field, reason }) => ({ line, field, reason })),
  };
}

/**
 * Renders an orders file with the template, and compares the result with the sales file that was sent.
 *
 * @param createdAt the shop's local time, `2026-11-24 10:27:03`: that of the rendering
 * @throws {FormatError | TemplateError} when one of the files cannot be read
 */
export function checkSales(
  { orders, xml }: SalesPair,
  template: SalesTemplate,
  format: OrdersFormat,
  voucher: VoucherRule,
  createdAt: string,
): SalesCheck {
  const sent = readSentOrders(orders, format, voucher);
  const { root } = readSentSales(xml.bytes, xml.name);
  const compareAt = (time: string) =>
    compareXml(root, readSentSales(render(template, sent.orders, time), 'the rendered file').root);
  // A value that depends on the time is another one at another time.
  const elsewhen = new Map(compareAt(anotherTime(createdAt)).map((one) => [keyOf(one), one.got]));
  const isDate = (one: Difference) => {
    const other = elsewhen.get(keyOf(one));
    const isValue = one.kind === 'text' || one.kind === 'attribute';
    return isValue && other !== undefined && other !== one.got && isLikeDate(one, createdAt);
  };
  const all = compareAt(createdAt);
  return {
    orders: sent.orders.length,
    byHand: sent.byHand,
    rejects: sent.rejects,
    differences: all.filter((one) => !isDate(one)),
    dates: all.filter(isDate),
  };
}

function render(template: SalesTemplate, orders: readonly Order[], createdAt: string): Uint8Array {
  const lines = orders.flatMap((order) => order.lines);
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  return Buffer.concat([...salesXml(template, orders, { createdAt, orders: orders.length, units })]);
}

function keyOf({ kind, path }: Difference): string {
  return `${kind} ${path}`;
}

const TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/;
/** How many there are of each part of a time, and the first. */
const PARTS = [
  [9_999, 0],
  [12, 1],
  [28, 1],
  [24, 0],
  [60, 0],
  [60, 0],
] as const;

/** A time of which every part is another, the year's last digits too. */
function anotherTime(time: string): string {
  const parts = (TIME.exec(time)?.slice(1) ?? []).map((part, index) => {
    const [count, first] = PARTS[index] ?? [60, 0];
    return String(((Number(part) - first + 1) % count) + first).padStart(part.length, '0');
  });
  return `${parts.slice(0, 3).join('-')} ${parts.slice(3).join(':')}`;
}

/** True when what was sent has digits where the rendered value has parts of the time, and is the same elsewhere. */
function isLikeDate({ expected, got }: Difference, createdAt: string): boolean {
  if (expected === null || got === null) return false;
  const [year = '', ...others] = TIME.exec(createdAt)?.slice(1) ?? [];
  const parts = [year, year.slice(2), ...others];
  const pattern = got
    .split(new RegExp(`(${parts.join('|')})`))
    .map((piece, index) => (index % 2 === 1 ? String.raw`\d`.repeat(piece.length) : literal(piece)))
    .join('');
  return new RegExp(`^${pattern}$`).test(expected);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
