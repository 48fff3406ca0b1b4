import { readOrders, type OrdersFormat } from '../domain/order-csv.ts';
import { isPaidWithVoucher, type Order, type VoucherRule } from '../domain/order.ts';
import { salesXml, type SalesTemplate } from '../domain/sales-xml.ts';
import { compareXml, type Difference } from './compare-xml.ts';
import type { Reject } from './explain-orders.ts';
import { DATE_PARTS } from './find-placeholder.ts';
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
  /** True when the last row of the orders file is not whole. */
  readonly cut: boolean;
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
  /** True when the last row is not whole. */
  readonly cut: boolean;
}

/** @throws {FormatError} when the file as a whole is not what the format says */
export function readSentOrders(
  { name, bytes }: NamedBytes,
  format: OrdersFormat,
  voucher: VoucherRule,
): SentOrders {
  const { orders, setAside, cut } = readOrders(bytes, name, format);
  const isByHand = (order: Order) => isPaidWithVoucher(order, voucher);
  return {
    orders: orders.filter((order) => !isByHand(order)).sort((a, b) => a.id - b.id),
    byHand: orders.filter(isByHand).map(({ id }) => id),
    rejects: setAside.map(({ line, field, reason }) => ({ line, field, reason })),
    cut: cut !== null,
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
  const then = anotherTime(createdAt);
  const elsewhen = new Map(compareAt(then).map((one) => [keyOf(one), one.got]));
  const isDate = (one: Difference) => {
    const other = elsewhen.get(keyOf(one)) ?? null;
    const isValue = one.kind === 'text' || one.kind === 'attribute';
    if (!isValue || one.expected === null || one.got === null || other === null) return false;
    return other !== one.got && datePattern([one.got, createdAt], [other, then]).test(one.expected);
  };
  const all = compareAt(createdAt);
  return {
    orders: sent.orders.length,
    byHand: sent.byHand,
    rejects: sent.rejects,
    cut: sent.cut,
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

const TIME = /^(?<Y>\d\d(?<y>\d\d))-(?<m>\d\d)-(?<d>\d\d) (?<H>\d\d):(?<M>\d\d):(?<S>\d\d)$/;
/** No part of them is like another, so that it is seen which part stands where. */
const OTHER_TIMES = ['2098-07-19 21:33:54', '2087-09-23 06:41:16'] as const;

/** A time of which every part is another than at this time. */
function anotherTime(time: string): string {
  const [one, other] = OTHER_TIMES;
  return time.replace(/\d+/g, (part, at: number) =>
    (one.startsWith(part, at) ? other : one).slice(at, at + part.length),
  );
}

/** What a value looks like that differs from what was rendered `now` only where that depends on the time. */
function datePattern(
  [text, now]: readonly [text: string, time: string],
  [other, then]: readonly [text: string, time: string],
): RegExp {
  const [parts, otherParts] = [TIME.exec(now)?.groups ?? {}, TIME.exec(then)?.groups ?? {}];
  let pattern = '';
  for (let at = 0; at < text.length;) {
    const letter = Object.keys(parts).find(
      (one) => text.startsWith(parts[one] ?? '', at) && other.startsWith(otherParts[one] ?? '', at),
    );
    const piece = parts[letter ?? ''] ?? text.charAt(at);
    pattern += DATE_PARTS[letter ?? ''] ?? literal(piece);
    at += piece.length;
  }
  return new RegExp(`^${pattern}$`);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
