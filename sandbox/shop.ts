import type { AddressSeed, OrderSeed } from './scenario.ts';
import type { CartLine, TruthLife } from './truth.ts';

/** PrestaShop as shoppers and the truth see it, whichever way passerelle reaches it. */
export interface Shop {
  readonly products: readonly ShopProduct[];
  readonly orders: readonly ShopOrder[];
  readonly carts: ReadonlyMap<number, readonly CartLine[]>;
  /** Places an order. Throws when the shop shows too few units. Returns id_order. */
  placeOrder(seed: OrderSeed, at?: string): number;
  /** Resolves when every order is made to its end. */
  settled(): Promise<void>;
}

export interface ShopProduct {
  readonly id: number;
  readonly reference: string;
  readonly name: string;
  /** Tax included, in cents. */
  readonly price: number;
  readonly variants: readonly ShopVariant[];
  /** An article without sizes (a gift voucher) has its gencod and its stock here. */
  readonly ean: string;
  readonly quantity: number;
}

export interface ShopVariant {
  /** PrestaShop's id_product_attribute: a variant that is made again gets a new one. */
  readonly id: number;
  readonly size: string;
  readonly ean: string;
  readonly quantity: number;
}

export interface ShopOrder {
  readonly id: number;
  readonly reference: string;
  /** Sandbox time. */
  readonly placedAt: string;
  readonly customer: OrderSeed['customer'];
  readonly delivery: AddressSeed;
  readonly payment: string;
  readonly voucher: OrderSeed['voucher'];
  /** In cents. */
  readonly total: number;
  readonly lines: readonly ShopOrderLine[];
  /** Missing where an order is sold from its first moment on. */
  readonly life?: TruthLife;
}

export interface ShopOrderLine {
  readonly ean: string;
  readonly gencod: boolean;
  readonly reference: string;
  readonly quantity: number;
  readonly unitPrice: number;
}

/** The id_order of a scenario's first order, in either kind of shop. */
export const FIRST_ORDER = 4_101;
