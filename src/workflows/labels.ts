import type { AwaitOrdersTakenResult } from '../activities/await-orders-taken.ts';
import type { CollectStockResult } from '../activities/collect-stock.ts';
import type { CreateProductsResult } from '../activities/create-products.ts';
import type { DeliverOrdersResult } from '../activities/deliver-orders.ts';
import type { ExportOrdersResult, OrdersLife } from '../activities/export-orders.ts';
import type { PrepareStockResult } from '../activities/prepare-stock.ts';
import type { UpdateStockResult } from '../activities/update-stock.ts';
import {
  STEPS,
  type CycleReport,
  type Outcome,
  type StepName,
  type StepReport,
  type StepState,
} from './report.ts';

/** Every French word that an operator reads in the Temporal Web UI and in the live view. */
const STEP_TITLES: Readonly<Record<StepName, string>> = {
  exportOrders: 'Export des commandes de la boutique',
  deliverOrders: 'Création et dépôt du fichier XML des ventes',
  awaitOrdersTaken: 'Import des commandes par Proshop',
  collectStock: 'Export du stock par Proshop',
  createProducts: 'Création des nouveaux produits',
  exportLateOrders: 'Export des commandes tardives',
  prepareStock: 'Préparation de la mise à jour du stock',
  updateStock: 'Mise à jour du stock de la boutique',
};

export const STATE_WORDS: Readonly<Record<StepState, string>> = {
  waiting: 'à venir',
  running: 'en cours',
  done: 'fait',
  skipped: 'sauté',
  failed: 'échec',
};

export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  running: 'en cours',
  complete: 'complet',
  degraded: 'incomplet',
  held: 'retenu',
  failed: 'en échec',
};

export const OPENING = 'Préparation du cycle';
export const CLOSING = 'Rapport du cycle';
export const WITHDRAWAL = 'Retrait du fichier de stock non confirmé';
export const SHOP_BUSY = 'La boutique fait un autre import : nouvel essai';
export const CYCLE_SUMMARY = 'Cycle boutique ⇄ Proshop';
export const CYCLE_DETAILS =
  'Toutes les demi-heures : commandes de la boutique vers Proshop, puis produits et stock de Proshop vers la boutique.';

/** `3/8 Import des commandes par Proshop` */
export function stepLabel(name: StepName): string {
  return `${STEPS.indexOf(name) + 1}/${STEPS.length} ${STEP_TITLES[name]}`;
}

/** What a step did, in one line. */
export function stepSentence(step: StepReport): string {
  if (step.state === 'waiting' && step.why !== null) return 'à refaire avec un stock préparé à nouveau';
  if (step.why !== null) return REASONS[step.why.type]?.(step.why.message) ?? step.why.message;
  if (step.state !== 'done' || step.facts === null) return '';
  switch (step.name) {
    case 'exportOrders':
    case 'exportLateOrders': {
      const facts = step.facts as ExportOrdersResult;
      return list([
        count(facts.toSend, 'commande à envoyer', 'commandes à envoyer'),
        facts.byHand > 0 &&
          `${count(facts.byHand, 'à saisir', 'à saisir')} à la main (${facts.byHandIds.join(', ')})`,
        facts.setAside > 0 &&
          `${count(facts.setAside, 'mise de côté', 'mises de côté')} (${facts.setAsideOrders.map(({ id }) => id ?? 'sans numéro').join(', ')})`,
        ...lifeSentences(facts.life),
      ]);
    }
    case 'deliverOrders': {
      const facts = step.facts as DeliverOrdersResult;
      if (facts.file === null) return 'aucune commande à envoyer';
      return `${count(facts.orders, 'commande', 'commandes')} dans ${facts.file} (${bytes(facts.archived?.size ?? 0)})`;
    }
    case 'awaitOrdersTaken': {
      const facts = step.facts as AwaitOrdersTakenResult;
      return facts.taken === 0 ? 'rien à prendre' : count(facts.orders, 'commande prise', 'commandes prises');
    }
    case 'collectStock': {
      const facts = step.facts as CollectStockResult;
      return list([
        `${count(facts.rows, 'ligne', 'lignes')}, ${count(facts.units, 'pièce', 'pièces')}`,
        `${count(facts.reflected, 'commande comptée', 'commandes comptées')} par Proshop`,
        facts.doubts.length > 0 && `doutes : ${facts.doubts.join(' ; ')}`,
      ]);
    }
    case 'createProducts': {
      const facts = step.facts as CreateProductsResult;
      const { models, references, sizesAdded = 0, problems = 0, problemList = [] } = facts;
      // The modules are asked, and do not say what came of it.
      const made = facts.sizesAdded === undefined ? 'demandé' : 'créé';
      return list([
        models === 0
          ? 'aucun nouveau modèle'
          : `${count(models, `modèle ${made}`, `modèles ${made}s`)} (${references.join(', ')})`,
        sizesAdded > 0 && count(sizesAdded, 'taille ajoutée', 'tailles ajoutées'),
        problems > 0 && `${count(problems, 'impossible', 'impossibles')} : ${problemList.join(' ; ')}`,
      ]);
    }
    case 'prepareStock': {
      const facts = step.facts as PrepareStockResult;
      const { up, down, toZero, created } = facts.difference;
      return list([
        `hausse ${up}, baisse ${down}, à zéro ${toZero}, nouvelles ${created}`,
        count(facts.outstanding, 'commande en attente', 'commandes en attente'),
        facts.corrected > 0 && count(facts.corrected, 'déclinaison corrigée', 'déclinaisons corrigées'),
        facts.setAside > 0 && count(facts.setAside, 'ligne mise de côté', 'lignes mises de côté'),
        facts.passed
          ? 'contrôle passé'
          : `retenu : ${facts.reasons.map(({ message }) => message).join(' ; ')}`,
      ]);
    }
    case 'updateStock': {
      const facts = step.facts as UpdateStockResult;
      return list([
        `${count(facts.variants, 'déclinaison', 'déclinaisons')} à jour, confirmé par la boutique`,
        ...writtenSentences(facts.written),
      ]);
    }
  }
}

function lifeSentences(life: OrdersLife | undefined): (string | false)[] {
  if (life === undefined) return [];
  return [
    life.waiting > 0 && `${life.waiting} en attente de paiement`,
    life.cancelled > 0 &&
      `${count(life.cancelled, 'annulée', 'annulées')} avant envoi (${life.cancelledIds.join(', ')})`,
    life.takeBacks > 0 && `${life.takeBacks} à reprendre (${takeBackNames(life)})`,
    life.incomplete > 0 &&
      `${count(life.incomplete, 'inachevée', 'inachevées')} (${life.incompleteIds.join(', ')})`,
  ];
}

function takeBackNames({ takeBackList }: OrdersLife): string {
  const names = takeBackList.map(({ id, cause }) =>
    cause === 'cancelled' ? `${id} annulée` : `${id} remboursée, ${cause.replace('slip', 'avoir')}`,
  );
  return names.join(', ');
}

function writtenSentences(written: UpdateStockResult['written']): (string | false)[] {
  if (written === undefined) return [];
  const eans = (deviations: readonly { readonly ean: string }[]) =>
    deviations.map(({ ean }) => ean).join(', ');
  return [
    written.rows === 0
      ? 'rien à écrire'
      : count(written.rows, 'ligne écrite et relue', 'lignes écrites et relues'),
    written.corrected > 0 &&
      `${count(written.corrected, 'reprise', 'reprises')} pour des ventes en cours (${count(written.rounds, 'tour', 'tours')})`,
    written.left > 0 && `encore différentes : ${eans(written.leftList)}`,
    written.unexplained > 0 &&
      `${count(written.unexplained, 'changée', 'changées')} à la main dans la boutique (${written.unexplainedList.map(({ ean, expected, got }) => `${ean} : ${got} au lieu de ${expected}`).join(', ')})`,
    written.absent > 0 &&
      `${count(written.absent, 'absente', 'absentes')} de la boutique (${written.absentList.join(', ')})`,
    written.ambiguous > 0 && `gencod en double dans la boutique : ${written.ambiguousList.join(', ')}`,
    written.withoutBarcode > 0 &&
      `modèles sans gencod dans la boutique, mis à zéro : ${written.withoutBarcodeList.join(', ')}`,
  ];
}

const REASONS: Readonly<Record<string, (message: string) => string>> = {
  NotYet: (message) => `délai dépassé : ${message}`,
  Refused: (message) => `refusé : ${message}`,
  BadData: (message) => `fichier illisible : ${message}`,
  Transient: (message) => `panne : ${message}`,
  ShopBusy: () => 'délai dépassé : la boutique fait encore un autre import',
  PlanTooOld: () => 'délai dépassé : la boutique n’a pas pris la mise à jour à temps',
  NoFreshStock: () => 'pas de stock frais de Proshop',
  DoubtfulStock: (message) => `fichier de stock douteux : ${message}`,
  LateOrdersUnknown: () => 'sans les commandes tardives, aucun stock n’est écrit',
  NothingPrepared: () => 'aucune mise à jour préparée',
  Held: (message) => `retenu par le contrôle : ${message}`,
  NotBegun: () => 'le cycle n’a pas pu commencer',
};

/** The report as a Markdown table, for the details that the Web UI shows while the cycle runs. */
export function reportTable(report: CycleReport): string {
  const rows = report.steps.map((step) => {
    const seconds =
      step.startedAt !== null && step.endedAt !== null
        ? `${Math.round((Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000)} s`
        : '';
    return `| ${stepLabel(step.name)} | ${STATE_WORDS[step.state]} | ${seconds} | ${stepSentence(step).replaceAll('|', '\\|')} |`;
  });
  return [
    `**Cycle ${OUTCOME_WORDS[report.outcome]}**`,
    '',
    '| Étape | État | Durée | Détail |',
    '| --- | --- | --- | --- |',
    ...rows,
    ...(report.alarms.length > 0 ? ['', ...report.alarms.map(({ message }) => `- ⚠ ${message}`)] : []),
  ].join('\n');
}

const FAILURE_ALARMS: Partial<Record<StepName, string>> = {
  awaitOrdersTaken: 'Proshop n’a pas pris le fichier des ventes à temps : les commandes restent en attente.',
  collectStock:
    'Proshop n’a pas produit d’export de stock complet à temps : le stock de la boutique n’a pas changé.',
  updateStock:
    'La boutique n’a pas confirmé la mise à jour du stock : le fichier a été retiré, le stock affiché peut être ancien.',
};

/** What the failure of a step means, in one sentence. */
export function failureAlarm(name: StepName): string {
  return FAILURE_ALARMS[name] ?? `L’étape ${stepLabel(name)} n’a pas abouti.`;
}

/** The other alarms' sentences. */
export const ALARMS = {
  held: 'Le contrôle a retenu la mise à jour du stock : la boutique garde son stock.',
  setAside: (ids: readonly (number | null)[]) =>
    `Commandes illisibles mises de côté : ${ids.map((id) => id ?? 'une sans numéro lisible').join(', ')}.`,
  byHand: (ids: readonly number[]) =>
    `Commandes payées en bon cadeau, à saisir à la main : ${ids.join(', ')}.`,
  takeBack: (life: OrdersLife) =>
    `Commandes annulées ou remboursées après leur envoi, à reprendre à la main dans Proshop : ${takeBackNames(life)}.`,
  incomplete: ({ incompleteIds }: OrdersLife) =>
    `Commandes que la boutique n’a jamais achevées (le stock est pris, aucune vente ne viendra) : ${incompleteIds.join(', ')}.`,
  stockLeft: (eans: readonly string[]) =>
    `Le stock de la boutique diffère encore du calcul pour : ${eans.join(', ')}.`,
} as const;

function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString('fr-FR')} ${n < 2 ? one : many}`;
}

function bytes(size: number): string {
  return `${size.toLocaleString('fr-FR')} octets`;
}

function list(parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(', ');
}
