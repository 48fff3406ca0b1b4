import type { Ledger } from '../../ledger/ledger.ts';
import type { Shop } from '../shop.ts';
import { openWebservice, type WebserviceAddress } from './api.ts';
import { createOrderReader, type OrderSettings } from './orders.ts';
import { createProductMaker, type ProductSettings } from './products.ts';
import { missingRights } from './rights.ts';
import { createStockWriter, type StockSettings } from './stock.ts';

export interface WebserviceSettings {
  readonly address: WebserviceAddress;
  readonly orders: OrderSettings;
  readonly products: ProductSettings;
  readonly stock: StockSettings;
}

/** Reaches the shop through PrestaShop's own Webservice. */
export function createWebserviceShop(
  { ledger }: { readonly ledger: Ledger },
  settings: WebserviceSettings,
): Shop {
  const api = openWebservice(settings.address);
  const ends = { api, ledger };
  const readOrders = createOrderReader(ends, settings.orders);
  const createMissing = createProductMaker(ends, settings.products);
  const writeStock = createStockWriter(ends, settings.stock);

  return {
    async exportOrders(round, signal) {
      return { askedAt: await readOrders(round, signal) };
    },

    // Nothing of the shop's is ours to clear away.
    finishOrders: () => Promise.resolve(),

    createProducts: createMissing,

    async updateStock({ cycle, planned, record }, signal) {
      const round = { cycle, step: 8, record };
      const written = await writeStock(() => readOrders(round, signal), planned, signal);
      return { confirmedAt: new Date(), written };
    },

    // A row is written or it is not: nothing waits to be applied later.
    withdrawUpdates: () => Promise.resolve(0),

    async check(signal) {
      const { version, canPatch, rights } = await api.capabilities(signal);
      return {
        shop: `PrestaShop ${version}${canPatch ? '' : ', without PATCH'}`,
        missing: missingRights(rights),
      };
    },
  };
}
