export { cycle } from './cycle.ts';
export { diff, order, orders, ordersSent, replay, resetShopCache, settleOrders } from './questions.ts';
export { shadowWatch } from './shadow-watch.ts';
export { upkeep } from './upkeep.ts';
export { watch } from './watch.ts';
