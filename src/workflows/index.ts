export { cycle } from './cycle.ts';
export { order, orders, resetShopCache, settleOrders } from './questions.ts';
export { upkeep } from './upkeep.ts';
export { watch } from './watch.ts';
