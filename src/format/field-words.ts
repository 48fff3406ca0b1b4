import type { AddressFields, ORDER_FIELDS, OrderGroup } from '../domain/order.ts';
import type { StockField } from '../domain/stock.ts';

/** What is meant -> the words that say it, French and English, without accents. */
const SYNONYMS: Readonly<Record<string, string>> = {
  order: 'commande commandes cmd orders vente ventes sale sales',
  number: 'numero num no n nr nbr',
  count: 'nb nombre nbre',
  id: 'identifiant ident key cle',
  reference: 'ref references',
  state: 'etat',
  status: 'statut',
  date: 'jour',
  hour: 'heure time',
  payment: 'paiement reglement reglements payments',
  paid: 'paye payee',
  method: 'mode moyen methode',
  voucher: 'bon coupon avoir promo cadeau',
  discount: 'reduction remise remises discounts rabais',
  amount: 'montant montants amounts',
  incl: 'ttc included including inclus',
  excl: 'ht excluded excluding hors',
  shipping: 'port frais transport expedition',
  delivery: 'livraison livr liv',
  invoice: 'facturation facture billing bill',
  customer: 'client clients acheteur buyer',
  'first name': 'firstname prenom forename',
  'last name': 'lastname surname',
  last: 'famille',
  name: 'nom',
  label: 'libelle designation intitule description',
  email: 'mail courriel mel',
  company: 'societe entreprise raison',
  address: 'adresse addresse adr rue street',
  'address 2': 'complement',
  'postal code': 'postcode zip zipcode cp',
  city: 'ville commune localite town',
  country: 'pays',
  phone: 'telephone tel mobile portable gsm',
  product: 'produit produits article articles item items products ligne lignes line lines detail',
  ean: 'gencod gencode gtin upc barcode barre barres bar',
  model: 'modele modeles style',
  quantity: 'quantite quantites qte qtes qty qt',
  unit: 'unitaire unite unites units',
  'unit price': 'pu',
  price: 'prix tarif pv',
  size: 'taille tailles pointure pointures sizes',
  combination:
    'combinations declinaison declinaisons attribut attributs attribute attributes variante variant',
  value: 'valeur valeurs values',
  color: 'couleur coloris colour',
  material: 'matiere matieres',
  supplier: 'fournisseur fournisseurs vendor',
  brand: 'marque manufacturer fabricant',
  store: 'magasin boutique depot pdv shop',
  available: 'disponible dispo',
};
const WORDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(SYNONYMS).flatMap(([meant, said]) =>
    said.split(' ').map((word) => [word, meant.split(' ')] as const),
  ),
);
/** Words that tell nothing; `13` is that of EAN-13, `e` that of e-mail. */
const FILLERS = new Set('de du des la le les l d the of a au en e tax taxe taxes tva sociale 13'.split(' '));

/** The words of a column's title or an element's name, as one language: `N° de commande`, `orderNumber` -> number, order. */
export function wordsOf(title: string): readonly string[] {
  const plain = title
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replace(/œ/gi, 'oe')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase();
  return (plain.match(/[a-z]+|\d+/g) ?? [])
    .filter((word) => !FILLERS.has(word))
    .flatMap((word) => WORDS.get(word) ?? [word]);
}

/** Equal for titles of the same words, in whatever order. */
export function wordKey(words: readonly string[]): string {
  return [...new Set(words)].sort().join(' ');
}

/**
 * How much a name sounds like one of the phrases; 0 = not at all.
 *
 * @param leaf words of the name itself
 * @param around words of the names that stand around it, which may complete it: `<Client><Nom>`
 */
export function resemblance(
  leaf: readonly string[],
  around: readonly string[],
  phrases: readonly string[],
): number {
  const scores = phrases.map((phrase) => {
    const words = phrase.split(' ');
    const own = words.filter((word) => leaf.includes(word)).length;
    const isWhole = words.every((word) => leaf.includes(word) || around.includes(word));
    const beside = leaf.filter((word) => !words.includes(word)).length;
    return own > 0 && isWhole ? own * 2 + (words.length - own) - beside / 2 : 0;
  });
  return Math.max(0, ...scores);
}

/** A field's names, the surest first. */
type Phrases = readonly string[];

const ADDRESS: Readonly<Record<keyof AddressFields, Phrases>> = {
  company: ['company'],
  firstname: ['first name'],
  lastname: ['last name', 'name'],
  address1: ['address 1', 'address'],
  address2: ['address 2'],
  postcode: ['postal code'],
  city: ['city'],
  country: ['country'],
  phone: ['phone'],
};

function addressPhrases(...owners: readonly string[]): Readonly<Record<keyof AddressFields, Phrases>> {
  return Object.fromEntries(
    Object.entries(ADDRESS).map(([field, phrases]) => [
      field,
      owners.flatMap((owner) => phrases.map((phrase) => `${owner} ${phrase}`.trim())),
    ]),
  ) as unknown as Record<keyof AddressFields, Phrases>;
}

/** How the fields of an orders file are called. The first title that fits the surest name is taken. */
export const ORDER_PHRASES: {
  readonly [G in OrderGroup]: Readonly<Record<(typeof ORDER_FIELDS)[G][number], Phrases>>;
} = {
  order: {
    id: ['order id', 'order number', 'id', 'number', 'order'],
    reference: ['order reference', 'reference', 'order code'],
    state: ['current state', 'state id', 'order state id', 'state'],
    status: ['order status', 'status', 'order state'],
    date: ['date add', 'order date', 'date', 'order date hour', 'date hour', 'creation date'],
    payment: ['payment', 'payment label', 'payment method', 'payment name', 'method'],
    paymentModule: ['payment module', 'module', 'payment code', 'payment method'],
    transaction: ['payment transaction id', 'transaction id', 'transaction number', 'transaction'],
    voucherName: ['voucher name', 'voucher label', 'voucher discount name'],
    voucherCode: ['voucher code', 'voucher discount code', 'voucher'],
    voucherAmount: ['voucher incl', 'voucher amount', 'voucher amount incl', 'voucher value'],
    total: [
      'total paid incl',
      'total incl',
      'total paid',
      'total order incl',
      'amount incl',
      'total order',
      'amount order',
      'total',
      'payment amount',
      'amount',
    ],
    totalWithoutTax: ['total paid excl', 'total excl', 'total order excl', 'amount excl'],
    shipping: ['total shipping incl', 'shipping incl', 'shipping', 'shipping amount', 'shipping delivery'],
    discounts: ['total discount incl', 'discount incl', 'total discount', 'discount', 'discount amount'],
  },
  customer: {
    firstname: ['customer first name', 'first name'],
    lastname: ['customer last name', 'last name', 'customer name', 'name'],
    email: ['customer email', 'email', 'email address', 'customer email address'],
  },
  delivery: addressPhrases('delivery', 'delivery address', 'shipping', 'shipping address', ''),
  invoice: addressPhrases('invoice', 'invoice address'),
  line: {
    ean: ['product ean', 'ean', 'ean code', 'product ean code'],
    reference: ['product reference', 'product model', 'model', 'product code', 'sku', 'reference'],
    name: ['product name', 'product label', 'label', 'product'],
    quantity: ['product quantity', 'quantity', 'order quantity', 'quantity count'],
    unitPrice: [
      'unit product price incl',
      'unit price incl',
      'unit price',
      'product price incl',
      'price incl',
      'product price',
      'price',
    ],
    size: ['size', 'combination value', 'product size', 'combination', 'product combination'],
    supplier: ['supplier name', 'supplier', 'product supplier'],
    brand: ['brand name', 'brand', 'product brand'],
    productId: ['product id', 'product number'],
    variantId: ['product combination id', 'combination id'],
  },
};

/** How the fields of ExportCSV are called. */
export const STOCK_PHRASES: Readonly<Record<StockField, Phrases>> = {
  supplier: ['supplier', 'supplier name', 'supplier label', 'brand'],
  material: ['material', 'material label', 'material name'],
  color: ['color', 'color label', 'color name'],
  reference: ['model', 'model reference', 'reference', 'product reference', 'product code', 'model code'],
  size: ['size', 'size label', 'combination', 'product size'],
  ean: ['ean', 'ean code', 'product ean'],
  price: ['price incl', 'price order incl', 'price order', 'price', 'product price', 'unit price incl'],
  quantity: [
    'stock',
    'stock quantity',
    'quantity',
    'available stock',
    'available quantity',
    'quantity count',
  ],
  store: ['store', 'store code', 'store number', 'store id'],
};
