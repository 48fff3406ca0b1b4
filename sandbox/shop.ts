import type { ScaledClock } from './clock.ts';
import { productName } from './scenario.ts';
import type { AddressSeed, OrderSeed, Scenario } from './scenario.ts';
import type { CartLine } from './truth.ts';

export interface ShopVariant {
  /** PrestaShop's id_product_attribute: a variant that is made again gets a new one. */
  readonly id: number;
  readonly size: string;
  readonly ean: string;
  quantity: number;
}

export interface ShopProduct {
  readonly id: number;
  readonly reference: string;
  readonly name: string;
  readonly supplier: string;
  /** Tax included, in cents. */
  readonly price: number;
  variants: ShopVariant[];
  /** An article without sizes (a gift voucher) has its gencod and its stock here. */
  readonly ean: string;
  quantity: number;
}

export interface ShopOrder {
  readonly id: number;
  readonly reference: string;
  /** Sandbox time. */
  readonly placedAt: string;
  readonly customer: OrderSeed['customer'];
  readonly delivery: AddressSeed;
  readonly invoice: AddressSeed;
  readonly payment: string;
  readonly paymentModule: string;
  readonly voucher: { readonly name: string; readonly code: string; readonly amount: number } | undefined;
  readonly shipping: number;
  readonly total: number;
  readonly lines: readonly ShopOrderLine[];
  /** The module's "export not exported" mark. */
  exported: boolean;
  /** True once a file has held it. */
  written: boolean;
}

export interface ShopOrderLine {
  readonly ean: string;
  readonly gencod: boolean;
  readonly reference: string;
  readonly name: string;
  readonly size: string;
  readonly supplier: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly productId: number;
  readonly variantId: number;
}

/** PrestaShop's state: products, stock, orders, carts. */
export interface Shop {
  readonly products: ShopProduct[];
  readonly orders: ShopOrder[];
  readonly carts: ReadonlyMap<number, readonly CartLine[]>;
  /** Places an order and takes the stock down at once. Throws when the shop shows too few units. Returns id_order. */
  placeOrder(seed: OrderSeed, at?: string): number;
  /** Puts units into a new cart; stock is not touched. Returns the cart's id. */
  addToCart(ean: string, quantity: number): number;
  /** Makes a product with its variants. */
  createProduct(product: NewProduct): void;
  /** Deletes the product's variants and makes these instead: new ids, and carts lose the old ones. */
  replaceVariants(product: ShopProduct, variants: readonly Omit<ShopVariant, 'id'>[]): void;
}

export interface NewProduct {
  readonly reference: string;
  readonly name: string;
  readonly supplier: string;
  readonly price: number;
  readonly ean?: string;
  readonly quantity?: number;
  readonly variants: readonly Omit<ShopVariant, 'id'>[];
}

/** Opens the shop with the scenario's products. */
export function openShop(scenario: Scenario, clock: ScaledClock): Shop {
  const products: ShopProduct[] = [];
  const orders: ShopOrder[] = [];
  const carts = new Map<number, readonly CartLine[]>();
  let nextProduct = 21;
  let nextVariant = 301;
  let nextOrder = 4_101;

  /** Last product that had the gencod; it may have lost it since. */
  const byEan = new Map<string, ShopProduct>();
  const keepEans = (product: ShopProduct) => {
    for (const { ean } of [product, ...product.variants]) byEan.set(ean, product);
  };
  const createProduct = (product: NewProduct) => {
    const made: ShopProduct = {
      id: nextProduct++,
      reference: product.reference,
      name: product.name,
      supplier: product.supplier,
      price: product.price,
      ean: product.ean ?? '',
      quantity: product.quantity ?? 0,
      variants: product.variants.map((variant) => ({ ...variant, id: nextVariant++ })),
    };
    products.push(made);
    keepEans(made);
  };
  const find = (ean: string): { product: ShopProduct; stock: ShopVariant | ShopProduct } => {
    const product = byEan.get(ean);
    const stock = product?.ean === ean ? product : product?.variants.find((variant) => variant.ean === ean);
    if (product !== undefined && stock !== undefined) return { product, stock };
    throw new Error(`Expected an article of the shop, got gencod ${ean}`);
  };

  for (const seed of scenario.products.filter((candidate) => candidate.inShop)) {
    createProduct({
      reference: seed.reference,
      name: productName(seed),
      supplier: seed.supplier,
      price: seed.price,
      variants: seed.variants.map(({ size, ean, stock }) => ({ size, ean, quantity: stock })),
    });
  }
  for (const voucher of scenario.vouchers) {
    createProduct({ ...voucher, supplier: '', quantity: voucher.stock, variants: [] });
  }

  return {
    products,
    orders,
    carts,
    placeOrder: (seed, at = clock.time()) => {
      const found = seed.lines.map((line) => ({ line, ...find(line.ean) }));
      for (const { line, stock } of found) {
        if (stock.quantity < line.quantity) {
          throw new Error(
            `Expected ${line.quantity} unit(s) of ${line.ean} in the shop, got ${stock.quantity}`,
          );
        }
      }
      for (const { line, stock } of found) stock.quantity -= line.quantity;
      const lines = found.map(({ line, product, stock }) => ({
        ean: line.ean,
        gencod: line.gencod !== false,
        reference: product.reference,
        name: product.name,
        size: 'size' in stock ? stock.size : '',
        supplier: product.supplier,
        quantity: line.quantity,
        unitPrice: product.price,
        productId: product.id,
        variantId: 'size' in stock ? stock.id : 0,
      }));
      const shipping = seed.shipping ?? 0;
      const articles = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
      const id = nextOrder++;
      orders.push({
        id,
        reference: seed.reference ?? letters(id),
        placedAt: at,
        customer: seed.customer,
        delivery: seed.delivery,
        invoice: seed.invoice ?? seed.delivery,
        payment: seed.payment,
        paymentModule: seed.paymentModule ?? seed.payment.toLowerCase().replace(/[^a-z]/g, ''),
        voucher: seed.voucher,
        shipping,
        total: Math.max(0, articles + shipping - (seed.voucher?.amount ?? 0)),
        lines,
        exported: false,
        written: false,
      });
      return id;
    },
    addToCart: (ean, quantity) => {
      const { stock } = find(ean);
      const id = carts.size + 1;
      carts.set(id, [{ variantId: 'size' in stock ? stock.id : 0, quantity }]);
      return id;
    },
    createProduct,
    replaceVariants: (product, variants) => {
      const gone = new Set(product.variants.map((variant) => variant.id));
      for (const [id, lines] of carts) {
        carts.set(
          id,
          lines.filter((line) => !gone.has(line.variantId)),
        );
      }
      product.variants = variants.map(({ size, ean, quantity }) => ({
        id: nextVariant++,
        size,
        ean,
        quantity,
      }));
      keepEans(product);
    },
  };
}

/** An order reference as PrestaShop makes them: nine capital letters. */
function letters(id: number): string {
  let rest = id * 7_919_317;
  return Array.from({ length: 9 }, () => {
    const letter = String.fromCharCode(65 + (rest % 26));
    rest = Math.floor(rest / 26) + id;
    return letter;
  }).join('');
}
