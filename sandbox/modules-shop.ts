import type { ScaledClock } from './clock.ts';
import { productName } from './scenario.ts';
import type { AddressSeed, Scenario } from './scenario.ts';
import { FIRST_ORDER } from './shop.ts';
import type { Shop, ShopOrder, ShopOrderLine, ShopProduct, ShopVariant } from './shop.ts';
import type { CartLine } from './truth.ts';

/** A PrestaShop that passerelle reaches by two modules, which change it in place. */
export interface ModulesShop extends Shop {
  readonly products: ModulesProduct[];
  readonly orders: ModulesOrder[];
  /** Puts units into a new cart; stock is not touched. Returns the cart's id. */
  addToCart(ean: string, quantity: number): number;
  /** Makes a product with its variants. */
  createProduct(product: NewProduct): void;
  /** Deletes the product's variants and makes these instead: new ids, and carts lose the old ones. */
  replaceVariants(product: ModulesProduct, variants: readonly NewVariant[]): void;
}

export interface ModulesProduct extends ShopProduct {
  readonly supplier: string;
  variants: ModulesVariant[];
  quantity: number;
}

interface ModulesVariant extends ShopVariant {
  quantity: number;
}

export interface ModulesOrder extends ShopOrder {
  readonly invoice: AddressSeed;
  readonly paymentModule: string;
  readonly shipping: number;
  readonly lines: readonly ModulesOrderLine[];
  /** The module's "export not exported" mark. */
  exported: boolean;
  /** True once a file has held it. */
  written: boolean;
}

export interface ModulesOrderLine extends ShopOrderLine {
  readonly name: string;
  readonly size: string;
  readonly supplier: string;
  readonly productId: number;
  readonly variantId: number;
}

type NewVariant = Omit<ShopVariant, 'id'>;

interface NewProduct {
  readonly reference: string;
  readonly name: string;
  readonly supplier: string;
  readonly price: number;
  readonly ean?: string;
  readonly quantity?: number;
  readonly variants: readonly NewVariant[];
}

/** Opens the shop with the scenario's products. */
export function openModulesShop(scenario: Scenario, clock: ScaledClock): ModulesShop {
  const products: ModulesProduct[] = [];
  const orders: ModulesOrder[] = [];
  const carts = new Map<number, readonly CartLine[]>();
  let nextProduct = 21;
  let nextVariant = 301;
  let nextOrder = FIRST_ORDER;

  /** Last product that had the gencod; it may have lost it since. */
  const byEan = new Map<string, ModulesProduct>();
  const keepEans = (product: ModulesProduct) => {
    for (const { ean } of [product, ...product.variants]) byEan.set(ean, product);
  };
  const createProduct = (product: NewProduct) => {
    const made: ModulesProduct = {
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
  const find = (ean: string): { product: ModulesProduct; stock: ModulesVariant | ModulesProduct } => {
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
    // Here an order is made in one piece.
    settled: () => Promise.resolve(),
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
