/** What stands in the shop and in Proshop at the start, and what happens when. Money is in cents. */
export interface Scenario {
  /** Sandbox time of the start, shop's local time: `2026-11-24T10:54:30`. */
  readonly start: string;
  readonly products: readonly ProductSeed[];
  readonly vouchers: readonly VoucherSeed[];
  readonly events: readonly ScenarioEvent[];
  /** When Proshop wrote the `ExportCSV` that stands on the FTP at the start; none when left out. */
  readonly previousExport?: string;
}

export interface ProductSeed {
  readonly supplier: string;
  readonly material: string;
  readonly color: string;
  /** The model. */
  readonly reference: string;
  /** Tax included. */
  readonly price: number;
  /** False for a model that only Proshop has yet. */
  readonly inShop: boolean;
  readonly variants: readonly VariantSeed[];
}

export interface VariantSeed {
  readonly size: string;
  readonly ean: string;
  /** Units on both sides before the first event. */
  readonly stock: number;
}

/** A gift voucher as a product: one article without sizes. */
export interface VoucherSeed {
  readonly reference: string;
  readonly name: string;
  readonly ean: string;
  readonly price: number;
  readonly stock: number;
}

/** Happens at a sandbox time, `2026-11-24T11:03`; what lies before the start has happened when the sandbox opens. */
export type ScenarioEvent =
  | { readonly at: string; readonly order: OrderSeed }
  | { readonly at: string; readonly soldInStore: { readonly ean: string; readonly quantity: number } };

export interface OrderSeed {
  /** Nine letters; made when left out. Two orders may share one. */
  readonly reference?: string;
  readonly customer: PersonSeed & { readonly email: string };
  readonly delivery: AddressSeed;
  /** The delivery address when left out. */
  readonly invoice?: AddressSeed;
  /** Label of the means of payment. */
  readonly payment: string;
  readonly paymentModule?: string;
  readonly voucher?: { readonly name: string; readonly code: string; readonly amount: number };
  readonly shipping?: number;
  readonly lines: readonly OrderLineSeed[];
}

export interface OrderLineSeed {
  readonly ean: string;
  readonly quantity: number;
  /** False: the shop's variant has no gencod, so the export shows none. */
  readonly gencod?: boolean;
}

interface PersonSeed {
  readonly firstname: string;
  readonly lastname: string;
}

export interface AddressSeed extends PersonSeed {
  readonly company?: string;
  /** May hold line feeds. */
  readonly address1: string;
  readonly address2?: string;
  readonly postcode: string;
  readonly city: string;
  readonly country: string;
  readonly phone?: string;
}

/** Name of a product in the shop: supplier, material and colour (seed.md). */
export function productName(product: Pick<ProductSeed, 'supplier' | 'material' | 'color'>): string {
  return [product.supplier, product.material, product.color].join(' ');
}

/** Appends the check digit to the first twelve digits of an EAN-13. */
export function ean13(twelve: string): string {
  const sum = Array.from(twelve).reduce(
    (total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3),
    0,
  );
  return twelve + String((10 - (sum % 10)) % 10);
}

const SHOES = ['36', '37', '38', '39', '40', '41'];
const MEN_SHOES = ['40', '41', '42', '43', '44'];
const CLOTHES = ['XS', 'S', 'M', 'L', 'XL'];

function product(
  number: number,
  [supplier, material, color, reference]: readonly [string, string, string, string],
  price: number,
  sizes: readonly string[],
  stock: readonly number[],
  inShop = true,
): ProductSeed {
  return {
    supplier,
    material,
    color,
    reference,
    price,
    inShop,
    variants: sizes.slice(0, stock.length).map((size, index) => ({
      size,
      ean: ean13(`3${String(701_234_000 + number * 10 + index).padStart(11, '0')}`),
      stock: stock[index] ?? 0,
    })),
  };
}

const DEMO_PRODUCTS: readonly ProductSeed[] = [
  product(1, ['Méphisto', 'Nubuck', 'Café', 'HELENE-CAFE'], 17_900, SHOES, [2, 3, 4, 3, 2, 1]),
  product(2, ['Paraboot', 'Cuir lisse', 'Noir', 'MICHAEL-NOIR'], 39_500, MEN_SHOES, [2, 2, 4, 3, 1]),
  product(3, ['Kickers', 'Cuir', 'Bleu ciel', 'TACKLAND-BLEU'], 7_990, SHOES, [3, 5, 6, 5, 2]),
  product(4, ['Palladium', 'Toile', 'Crème', 'PAMPA-CREME'], 6_500, SHOES, [4, 6, 8, 7, 3, 2]),
  product(5, ['Minelli', 'Velours', 'Doré', 'ESCARPIN-DORE'], 9_900, SHOES, [1, 2, 2, 1]),
  product(6, ["L'Atelier d'Élise", 'Laine', 'Écru', 'PULL-MAUD'], 12_450, CLOTHES, [1, 3, 3, 2, 1]),
  product(7, ['Armor-Lux', 'Coton', 'Rayé marine', 'HOEDIC-MARINE'], 5_900, CLOTHES, [4, 7, 9, 6, 4]),
  product(8, ['Saint James', 'Coton', 'Neige', 'GALATHEE-NEIGE'], 6_250, CLOTHES, [2, 4, 5, 3]),
  product(9, ['Aigle', 'Caoutchouc', 'Kaki', 'PARCOURS-KAKI'], 14_000, MEN_SHOES, [2, 3, 4, 4, 2]),
  product(10, ['Bensimon', 'Toile', 'Été indien', 'TENNIS-ETE'], 4_200, SHOES, [5, 6, 7, 6, 4, 2]),
  product(11, ['Repetto', 'Cuir verni', 'Rouge', 'CENDRILLON-ROUGE'], 25_500, SHOES, [1, 1, 2, 1, 1]),
  product(12, ['Le Mont St Michel', 'Moleskine', 'Bleu', 'VESTE-GENUINE'], 13_900, CLOTHES, [1, 2, 3, 2]),
  product(13, ['Méphisto', 'Cuir', 'Cognac', 'ALLROUNDER-COGNAC'], 15_900, SHOES, [2, 2, 0, 1, 1], false),
  product(14, ['Armor-Lux', 'Laine', 'Brique', 'FOUESNANT-BRIQUE'], 8_950, CLOTHES, [1, 2, 2, 1], false),
];

/** EAN of a demo product's variant. */
function demo(reference: string, size: string): string {
  const variant = DEMO_PRODUCTS.find((candidate) => candidate.reference === reference)?.variants.find(
    (candidate) => candidate.size === size,
  );
  if (variant === undefined) throw new Error(`Expected a demo variant, got ${reference} in ${size}`);
  return variant.ean;
}

const person = (firstname: string, lastname: string) => ({
  firstname,
  lastname,
  email: `${firstname}.${lastname}@example.com`
    .normalize('NFD')
    .replace(/[^\w.@-]/g, '')
    .toLowerCase(),
});

const address = (
  firstname: string,
  lastname: string,
  address1: string,
  postcode: string,
  city: string,
  more: Partial<AddressSeed> = {},
): AddressSeed => ({ firstname, lastname, address1, postcode, city, country: 'France', ...more });

/**
 * One cycle's worth of everything: six orders before the first export, late ones, a voucher payment, a line without
 * gencod, sales in store, two new models, one sold out.
 */
export const demoScenario: Scenario = {
  start: '2026-11-24T10:54:30',
  previousExport: '2026-11-24T10:40',
  products: DEMO_PRODUCTS,
  vouchers: [
    { reference: 'BON-50', name: 'Bon cadeau 50 €', ean: ean13('299000000050'), price: 5_000, stock: 100 },
    { reference: 'BON-100', name: 'Bon cadeau 100 €', ean: ean13('299000000100'), price: 10_000, stock: 100 },
  ],
  events: [
    {
      at: '2026-11-24T10:31',
      order: {
        customer: person('Zoé', 'Lefèvre-Nuñez'),
        delivery: address('Zoé', 'Lefèvre-Nuñez', '12 bis, rue de l’Œuvre', '29900', 'Concarneau', {
          phone: '06 12 34 56 78',
        }),
        payment: 'Carte bancaire',
        shipping: 490,
        lines: [{ ean: demo('HELENE-CAFE', '38'), quantity: 1 }],
      },
    },
    {
      at: '2026-11-24T10:36',
      order: {
        customer: person('Gaëtan', "O'Brien"),
        delivery: address('Gaëtan', "O'Brien", '4 allée "Les Mésanges"; bât. C', '35400', 'Saint-Malo', {
          company: 'Garage "Chez Gaëtan" & Fils',
        }),
        payment: 'PayPal',
        lines: [
          { ean: demo('MICHAEL-NOIR', '42'), quantity: 1 },
          { ean: demo('HOEDIC-MARINE', 'L'), quantity: 2 },
          { ean: demo('PAMPA-CREME', '39'), quantity: 1 },
        ],
      },
    },
    {
      at: '2026-11-24T10:41',
      order: {
        // A split order: PrestaShop gives both halves one reference.
        reference: 'QWXKZTPLD',
        customer: person('Anaïs', 'Brûlé'),
        delivery: address(
          'Anaïs',
          'Brûlé',
          'Résidence du Port\nEscalier 2\nAppartement 14',
          '56170',
          'Quiberon',
          {
            address2: '1 quai de l’Océan',
            phone: '+33 2 97 00 00 00',
          },
        ),
        invoice: address('Jean-Noël', 'Brûlé', '7 impasse des Ajoncs', '44000', 'Nantes'),
        payment: 'Carte bancaire',
        shipping: 690,
        lines: [
          { ean: demo('TENNIS-ETE', '37'), quantity: 2 },
          { ean: demo('GALATHEE-NEIGE', 'M'), quantity: 1 },
        ],
      },
    },
    {
      at: '2026-11-24T10:41',
      order: {
        reference: 'QWXKZTPLD',
        customer: person('Anaïs', 'Brûlé'),
        delivery: address(
          'Anaïs',
          'Brûlé',
          'Résidence du Port\nEscalier 2\nAppartement 14',
          '56170',
          'Quiberon',
        ),
        payment: 'Carte bancaire',
        lines: [{ ean: demo('CENDRILLON-ROUGE', '38'), quantity: 1 }],
      },
    },
    {
      at: '2026-11-24T10:47',
      order: {
        customer: person('Thérèse', 'Le Goff'),
        delivery: address('Thérèse', 'Le Goff', '3 place de l’Église', '29000', 'Quimper'),
        payment: 'Bon cadeau',
        paymentModule: 'boncadeau',
        voucher: { name: 'Bon cadeau de Noël', code: 'BC-2026-7F3K', amount: 12_450 },
        lines: [{ ean: demo('PULL-MAUD', 'S'), quantity: 1 }],
      },
    },
    {
      at: '2026-11-24T10:52',
      order: {
        customer: person('François', 'Müller'),
        delivery: address('François', 'Müller', '8 rue de la Forêt-Noire', '67000', 'Strasbourg'),
        payment: 'Virement bancaire',
        lines: [
          { ean: demo('PARCOURS-KAKI', '43'), quantity: 1 },
          { ean: demo('VESTE-GENUINE', 'M'), quantity: 1, gencod: false },
        ],
      },
    },
    { at: '2026-11-24T10:44', soldInStore: { ean: demo('TACKLAND-BLEU', '38'), quantity: 2 } },
    { at: '2026-11-24T10:58', soldInStore: { ean: demo('HOEDIC-MARINE', 'M'), quantity: 1 } },
    { at: '2026-11-24T11:05', soldInStore: { ean: demo('PARCOURS-KAKI', '42'), quantity: 1 } },
    // The whole model leaves over the counter: Proshop leaves it out of its next export.
    { at: '2026-11-24T11:02', soldInStore: { ean: demo('ESCARPIN-DORE', '36'), quantity: 1 } },
    { at: '2026-11-24T11:04', soldInStore: { ean: demo('ESCARPIN-DORE', '37'), quantity: 2 } },
    { at: '2026-11-24T11:06', soldInStore: { ean: demo('ESCARPIN-DORE', '38'), quantity: 2 } },
    { at: '2026-11-24T11:07', soldInStore: { ean: demo('ESCARPIN-DORE', '39'), quantity: 1 } },
    // Late: after the first export, so that only the second one shows them.
    {
      at: '2026-11-24T11:03',
      order: {
        customer: person('Loïc', 'Kerboul'),
        delivery: address('Loïc', 'Kerboul', 'Le Bourg', '22620', 'Ploubazlanec'),
        payment: 'Carte bancaire',
        shipping: 490,
        lines: [
          { ean: demo('HOEDIC-MARINE', 'XL'), quantity: 1 },
          // The last pair.
          { ean: demo('HELENE-CAFE', '41'), quantity: 1 },
        ],
      },
    },
    {
      at: '2026-11-24T11:08',
      order: {
        customer: person('Inès', "D'Aboville"),
        delivery: address('Inès', "D'Aboville", '15 rue Saint-Honoré ; 3e étage', '75001', 'Paris'),
        payment: 'PayPal',
        lines: [{ ean: demo('PAMPA-CREME', '38'), quantity: 2 }],
      },
    },
  ],
};

export interface RandomScenarioOptions {
  readonly products?: number;
  readonly orders?: number;
  /** Orders placed while the cycle runs, before its second export. */
  readonly lateOrders?: number;
  /** Orders placed over the two hours that follow, with as many sales in store. */
  readonly laterOrders?: number;
}

/** Makes a scenario from a seed: the same seed gives the same one. */
export function randomScenario(seed: number, options: RandomScenarioOptions = {}): Scenario {
  const random = generator(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;

  const products: ProductSeed[] = Array.from({ length: options.products ?? 20 }, (_, index) => {
    const sizes = pick([SHOES, MEN_SHOES, CLOTHES]);
    return {
      supplier: pick(['Méphisto', 'Paraboot', 'Armor-Lux', 'Aigle', "L'Atelier d'Élise", 'Kickers']),
      material: pick(['Cuir', 'Toile', 'Velours', 'Laine', 'Coton']),
      color: pick(['Noir', 'Écru', 'Bleu ciel', 'Doré', 'Café', 'Crème']),
      reference: `MOD-${String(index + 1).padStart(5, '0')}`,
      price: 1_990 + below(400) * 50,
      inShop: index === 0 || random() > 0.05,
      variants: sizes.map((size, rank) => ({
        size,
        ean: ean13(`36${String(index * 10 + rank).padStart(10, '0')}`),
        stock: below(12),
      })),
    };
  });

  // What the shop can still sell, so that no order is refused; half is left for the stores.
  const left = new Map(
    products
      .filter((candidate) => candidate.inShop)
      .flatMap((candidate) => candidate.variants.map((variant) => [variant.ean, variant.stock >> 1])),
  );
  const sellable = [...left.keys()];
  const order = (at: string): ScenarioEvent | undefined => {
    const lines = new Map<string, OrderLineSeed>();
    for (let count = 1 + below(3); count > 0; count--) {
      const ean = pick(sellable);
      const units = left.get(ean) ?? 0;
      if (units === 0 || lines.has(ean)) continue;
      const quantity = 1 + below(Math.min(2, units));
      left.set(ean, units - quantity);
      lines.set(ean, { ean, quantity, ...(random() < 0.03 ? { gencod: false } : {}) });
    }
    if (lines.size === 0) return undefined;
    const firstname = pick(['Zoé', 'Gaëtan', 'Anaïs', 'Loïc', 'Inès', 'François', 'Maëlys']);
    const lastname = pick([
      'Le Goff',
      "O'Brien",
      'Brûlé',
      'Müller',
      "D'Aboville",
      'Lefèvre; fils',
      'Petit "Jo"',
    ]);
    const voucher = random() < 0.05;
    return {
      at,
      order: {
        customer: person(firstname, lastname),
        delivery: address(
          firstname,
          lastname,
          pick(['1 rue de l’Océan', 'Bât. C\nEscalier 2', '4 allée "Les Mésanges"; B', '8 quai Ney']),
          String(10_000 + below(80_000)),
          pick(['Quimper', 'Saint-Malo', 'Besançon', 'Nîmes']),
        ),
        payment: voucher ? 'Bon cadeau' : pick(['Carte bancaire', 'PayPal', 'Virement bancaire']),
        ...(voucher
          ? { voucher: { name: 'Bon cadeau', code: `BC-${below(1_000_000)}`, amount: 5_000 } }
          : {}),
        shipping: pick([0, 490, 690]),
        lines: [...lines.values()],
      },
    };
  };
  const times = (count: number, from: number, to: number) =>
    Array.from({ length: count }, () => from + below(to - from)).sort((a, b) => a - b);
  // Seconds after ten o'clock.
  const at = (second: number) =>
    new Date(Date.UTC(2026, 10, 24, 10) + second * 1_000).toISOString().slice(0, -5);
  const sales = [...left]
    .filter(([, units]) => units > 0 && random() < 0.1)
    .map(([ean]) => ({ at: at(3_300 + below(900)), soldInStore: { ean, quantity: 1 } }));
  const later = times(options.laterOrders ?? 0, 4_080, 11_280).flatMap((second) => [
    order(at(second)),
    { at: at(second), soldInStore: { ean: pick(sellable), quantity: 1 } },
  ]);

  return {
    start: '2026-11-24T10:54:30',
    previousExport: '2026-11-24T10:40',
    products,
    vouchers: demoScenario.vouchers,
    events: [
      ...times(options.orders ?? 10, 1_860, 3_240).map((second) => order(at(second))),
      ...times(options.lateOrders ?? 3, 3_780, 4_080).map((second) => order(at(second))),
      ...sales,
      ...later,
    ].filter((event) => event !== undefined),
  };
}

/** Mulberry32: small, seeded, good enough to draw scenarios. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
