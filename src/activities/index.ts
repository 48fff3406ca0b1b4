import { awaitOrdersTaken } from './await-orders-taken.ts';
import { closeCycle } from './close-cycle.ts';
import { collectStock } from './collect-stock.ts';
import { createProducts } from './create-products.ts';
import { deliverOrders } from './deliver-orders.ts';
import type { Deps } from './deps.ts';
import { diff } from './diff.ts';
import { exportOrders } from './export-orders.ts';
import { followOldGateway } from './follow-old-gateway.ts';
import { openCycle } from './open-cycle.ts';
import { listOrders, orderJourney, ordersSent, settleOrders } from './orders-for-people.ts';
import { prepareStock } from './prepare-stock.ts';
import { replay } from './replay.ts';
import { resetShopCache } from './reset-shop-cache.ts';
import { shadowOrders } from './shadow-orders.ts';
import { shadowSales } from './shadow-sales.ts';
import { shadowApplied, shadowStock } from './shadow-stock.ts';
import { shadowTaken } from './shadow-taken.ts';
import { updateStock, withdrawStock } from './update-stock.ts';
import { upkeep } from './upkeep.ts';
import { watch } from './watch.ts';

/** The steps of a cycle, in order, and the daily upkeep. Their names are in every history: they never change. */
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
  followOldGateway: followOldGateway(deps),
  shadowOrders: shadowOrders(deps),
  shadowSales: shadowSales(deps),
  shadowTaken: shadowTaken(deps),
  shadowStock: shadowStock(deps),
  shadowApplied: shadowApplied(deps),
  upkeep: upkeep(deps),
  watch: watch(deps),
  listOrders: listOrders(deps),
  orderJourney: orderJourney(deps),
  ordersSent: ordersSent(deps),
  settleOrders: settleOrders(deps),
  diff: diff(deps),
  replay: replay(deps),
  resetShopCache: resetShopCache(deps),
});

export type { Deps };
export type Activities = ReturnType<typeof createActivities>;
