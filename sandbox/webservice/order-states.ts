/** A state as PrestaShop installs it. */
export interface OrderStateSeed {
  readonly id: number;
  readonly name: string;
  readonly color: string;
  readonly template?: string;
  readonly module_name?: string;
  readonly send_email?: boolean;
  /** An order that reaches it gets an invoice number. */
  readonly invoice?: boolean;
  /** An order in it counts as sold, and is `valid`. */
  readonly logable?: boolean;
  readonly paid?: boolean;
  readonly pdf_invoice?: boolean;
  /** An order that reaches it gets a delivery number. */
  readonly delivery?: boolean;
  readonly shipped?: boolean;
}

export const PAID = 2;
export const CANCELLED = 6;
export const REFUNDED = 7;
export const PAYMENT_ERROR = 8;
export const AWAITING_BANK_WIRE = 10;

const sold = { invoice: true, logable: true, paid: true } as const;
const mail = { send_email: true } as const;

export const ORDER_STATES: readonly OrderStateSeed[] = [
  {
    id: 1,
    name: 'Awaiting check payment',
    color: '#34209E',
    template: 'cheque',
    module_name: 'ps_checkpayment',
    ...mail,
  },
  {
    id: PAID,
    name: 'Payment accepted',
    color: '#3498D8',
    template: 'payment',
    pdf_invoice: true,
    ...mail,
    ...sold,
  },
  {
    id: 3,
    name: 'Processing in progress',
    color: '#3498D8',
    template: 'preparation',
    delivery: true,
    ...mail,
    ...sold,
  },
  {
    id: 4,
    name: 'Shipped',
    color: '#01B887',
    template: 'shipped',
    delivery: true,
    shipped: true,
    ...mail,
    ...sold,
  },
  { id: 5, name: 'Delivered', color: '#01B887', delivery: true, shipped: true, ...sold },
  { id: CANCELLED, name: 'Canceled', color: '#2C3E50', template: 'order_canceled', ...mail },
  { id: REFUNDED, name: 'Refunded', color: '#01B887', template: 'refund', invoice: true, ...mail },
  { id: PAYMENT_ERROR, name: 'Payment error', color: '#E74C3C', template: 'payment_error', ...mail },
  {
    id: 9,
    name: 'On backorder (paid)',
    color: '#3498D8',
    template: 'outofstock',
    invoice: true,
    paid: true,
    ...mail,
  },
  {
    id: AWAITING_BANK_WIRE,
    name: 'Awaiting bank wire payment',
    color: '#34209E',
    template: 'bankwire',
    module_name: 'ps_wirepayment',
    ...mail,
  },
  { id: 11, name: 'Remote payment accepted', color: '#3498D8', template: 'payment', ...mail, ...sold },
  { id: 12, name: 'On backorder (not paid)', color: '#34209E', template: 'outofstock', ...mail },
  {
    id: 13,
    name: 'Awaiting Cash On Delivery validation',
    color: '#34209E',
    template: 'cashondelivery',
    module_name: 'ps_cashondelivery',
    ...mail,
  },
];
