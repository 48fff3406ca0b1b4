import { awaitOrdersTaken } from './await-orders-taken.ts';
import { closeCycle } from './close-cycle.ts';
import { collectStock } from './collect-stock.ts';
import { createProducts } from './create-products.ts';
import { deliverOrders } from './deliver-orders.ts';
import type { Deps } from './deps.ts';
import { exportOrders } from './export-orders.ts';
import { openCycle } from './open-cycle.ts';
import { prepareStock } from './prepare-stock.ts';
import { updateStock, withdrawStock } from './update-stock.ts';

/** The steps of a cycle, in order. Their names are in every history: they never change. */
export const createActivities = (deps: Deps) => ({
  openCycle: openCycle(deps),
  exportOrders: exportOrders(deps),
  deliverOrders: deliverOrders(deps),
  awaitOrdersTaken: awaitOrdersTaken(deps),
  collectStock: collectStock(deps),
  createProducts: createProducts(deps),
  prepareStock: prepareStock(deps),
  updateStock: updateStock(deps),
  withdrawStock: withdrawStock(deps),
  closeCycle: closeCycle(deps),
});

export type { Deps };
export type Activities = ReturnType<typeof createActivities>;
