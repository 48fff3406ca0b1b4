import type { SetAsideOrder } from '../domain/order.ts';

/** Says why an order was set aside, and where. */
export function describeFault(fault: Pick<SetAsideOrder, 'file' | 'line' | 'field' | 'reason'>): string {
  const where = [fault.file, `line ${fault.line}`, fault.field].filter((part) => part !== '');
  return `${fault.reason} (${where.join(', ')})`;
}
