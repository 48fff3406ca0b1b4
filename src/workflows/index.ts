export { cycle } from './cycle.ts';
export { diff, order, orders, replay, resetShopCache, settleOrders } from './questions.ts';
export { upkeep } from './upkeep.ts';
export { watch } from './watch.ts';
