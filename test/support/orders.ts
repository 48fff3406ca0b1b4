import type { Order, SetAsideOrder } from '../../src/domain/order.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';

const ADDRESS = {
  company: '',
  firstname: 'Zoé',
  lastname: 'Lefèvre',
  address1: '1 rue du Bac',
  address2: '',
  postcode: '75007',
  city: 'Paris',
  country: 'France',
  phone: '',
} as const;

/** A readable order of one line of one unit, unless told otherwise. */
export function anOrder(id: number, change: Partial<Order> = {}): Order {
  return {
    id,
    reference: `REF${id}`,
    state: '2',
    status: 'Paiement accepté',
    date: '2026-11-24 10:20:00',
    payment: 'Carte bancaire',
    paymentModule: 'ps_checkout',
    transaction: '',
    voucherName: '',
    voucherCode: '',
    voucherAmount: '0',
    total: '89.90',
    totalWithoutTax: '74.92',
    shipping: '0',
    discounts: '0',
    customer: { firstname: 'Zoé', lastname: 'Lefèvre', email: 'zoe@example.org' },
    delivery: ADDRESS,
    invoice: ADDRESS,
    lines: [aLine('3000000000017')],
    ...change,
  };
}

export function aLine(ean: string, quantity = 1, reference = 'MOD1'): Order['lines'][number] {
  return {
    ean,
    reference,
    name: 'Derby cuir noir',
    quantity,
    unitPrice: '89.90',
    size: '42',
    supplier: 'Martin',
    brand: 'Martin',
    productId: '7',
    variantId: '70',
  };
}

/** An order that could not be read: its line has no EAN. */
export function anUnreadableOrder(id: number | null, change: Partial<SetAsideOrder> = {}): SetAsideOrder {
  return {
    id,
    reference: `REF${id}`,
    file: 'commandes',
    line: 12,
    field: 'line.ean',
    reason: 'Expected an EAN, got nothing',
    lines: [{ ean: null, reference: 'MOD1', quantity: 2 }],
    ...change,
  };
}

/** Records these as one file of the first step would leave them: nothing of it can be sent. */
export function recordUnreadable(
  ledger: Ledger,
  at: Date,
  setAside: readonly SetAsideOrder[],
): Promise<void> {
  return ledger.recordOrders({
    cycle: 'a',
    step: 1,
    file: 'commandes',
    fileSha256: 'f'.repeat(64),
    at,
    orders: [],
    setAside,
  });
}
