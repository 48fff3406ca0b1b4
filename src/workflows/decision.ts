import type { PrepareStockResult } from '../activities/prepare-stock.ts';

/** What becomes of a batch that the gate did not let through: it is skipped, and the shop keeps its stock. */
export function decide(_plan: PrepareStockResult): 'apply' | 'skip' {
  return 'skip';
}
