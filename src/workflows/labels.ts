import type { AwaitOrdersTakenResult } from '../activities/await-orders-taken.ts';
import type { CollectStockResult } from '../activities/collect-stock.ts';
import type { CreateProductsResult } from '../activities/create-products.ts';
import type { DiffResult } from '../activities/diff.ts';
import type { DeliverOrdersResult } from '../activities/deliver-orders.ts';
import type { ExportOrdersResult, OrdersLife } from '../activities/export-orders.ts';
import type { Listed, OrderName, OrdersForPeople } from '../activities/orders-for-people.ts';
import type { PrepareStockResult } from '../activities/prepare-stock.ts';
import type { ReplayResult } from '../activities/replay.ts';
import type { ShadowOrdersResult } from '../activities/shadow-orders.ts';
import type { ShadowSalesResult } from '../activities/shadow-sales.ts';
import type { ShadowStockResult } from '../activities/shadow-stock.ts';
import type { UpdateStockResult } from '../activities/update-stock.ts';
import type { UpkeepResult } from '../activities/upkeep.ts';
import type { Message } from '../alerts.ts';
import type { CycleSeen, ScheduleSeen } from '../cycles.ts';
import type { StockRule } from '../domain/compare-stock.ts';
import type { End, Finding, Verdict, What } from '../doctor/finding.ts';
import type { Reason } from '../domain/gate.ts';
import type { News, Warning, WarningKey } from '../domain/warnings.ts';
import type { FileDraft, FilesCheck, FormatFilesError } from '../format-files.ts';
import type { SalesCheck } from '../format/check-sales.ts';
import type { Difference } from '../format/compare-xml.ts';
import type { DraftNote } from '../format/draft-template.ts';
import type { OrdersContent, OrdersExplained, Proposal, Reject } from '../format/explain-orders.ts';
import type { StockExplained } from '../format/explain-stock.ts';
import type { FieldTitle } from '../format/propose-columns.ts';
import type { SeenFile } from '../format/see-file.ts';
import type { IncompleteJourney, OrderJourney } from '../ledger/journeys.ts';
import type { Status } from '../operator.ts';
import {
  STEPS,
  type CycleReport,
  type Decision,
  type Hold,
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
export const HELD_WAIT = 'Mise à jour retenue : attend la décision d’une personne';
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
  if (step.why !== null) return whySentence(step.why);
  if (step.state !== 'done' || step.facts === null) return '';
  switch (step.name) {
    case 'exportOrders':
    case 'exportLateOrders': {
      const facts = step.facts as ExportOrdersResult & Partial<ShadowOrdersResult>;
      const { unreadableFiles = [] } = facts;
      return list([
        count(facts.toSend, 'commande à envoyer', 'commandes à envoyer'),
        facts.byHand > 0 &&
          `${count(facts.byHand, 'à saisir', 'à saisir')} à la main (${facts.byHandIds.join(', ')})`,
        facts.setAside > 0 &&
          `${count(facts.setAside, 'mise de côté', 'mises de côté')} (${facts.setAsideOrders.map(({ id }) => id ?? 'sans numéro').join(', ')})`,
        unreadableFiles.length > 0 &&
          `${unreadableFiles.length < 2 ? 'fichier de commandes illisible' : 'fichiers de commandes illisibles'} : ${unreadableFiles.join(' ; ')}`,
        ...lifeSentences(facts.life),
      ]);
    }
    case 'deliverOrders': {
      const facts = step.facts as DeliverOrdersResult & Partial<ShadowSalesResult>;
      if (facts.comparison !== undefined) return salesComparison(facts as ShadowSalesResult);
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
      const facts = step.facts as PrepareStockResult & Partial<ShadowStockResult>;
      const { up, down, toZero, created } = facts.difference;
      return list([
        `hausse ${up}, baisse ${down}, à zéro ${toZero}, nouvelles ${created}`,
        count(facts.outstanding, 'commande en attente', 'commandes en attente'),
        facts.corrected > 0 && count(facts.corrected, 'déclinaison corrigée', 'déclinaisons corrigées'),
        facts.setAside > 0 && count(facts.setAside, 'ligne mise de côté', 'lignes mises de côté'),
        facts.comparison !== undefined && stockComparison(facts.comparison),
        facts.passed ? 'contrôle passé' : `retenu : ${facts.reasons.map(holdReason).join(' ; ')}`,
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

function salesComparison({ files, comparison }: ShadowSalesResult): string {
  const { different, late, doubted, unwatched } = comparison;
  if (files.length === 0 && different + late.length + doubted === 0 && !unwatched)
    return 'aucune vente, comme l’ancienne passerelle';
  return list([
    `${count(comparison.identical, 'commande identique', 'commandes identiques')} dans ${files.join(', ') || 'aucun fichier'}`,
    comparison.different > 0 && salesDifferences(comparison),
    comparison.late.length > 0 && `tardives, pas encore transmises : ${comparison.late.join(', ')}`,
    comparison.doubted > 0 && `mises de côté, peut-être transmises : ${comparison.doubted}`,
    unwatched && 'personne ne regardait pendant une partie de ce temps',
  ]);
}

const STOCK_RULES: Readonly<Record<StockRule, string>> = {
  removed: 'produit retiré en entier par l’ancienne passerelle, au lieu d’une soustraction',
  'order unknown to it': 'commande que l’ancienne passerelle ne connaissait pas',
};

function stockComparison({
  variants,
  explained,
  unexplained,
  disagreements,
}: ShadowStockResult['comparison']): string {
  if (explained + unexplained === 0)
    return `identique à l’ancienne passerelle (${count(variants, 'déclinaison', 'déclinaisons')})`;
  const rules = [...new Set(disagreements.flatMap(({ rule }) => (rule === null ? [] : STOCK_RULES[rule])))];
  return list([
    unexplained > 0 &&
      `${count(unexplained, 'déclinaison différente', 'déclinaisons différentes')} sans raison connue`,
    explained > 0 && `${count(explained, 'expliquée', 'expliquées')} (${rules.join(' ; ')})`,
  ]);
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
  return takeBackList.map(takeBackName).join(', ');
}

function takeBackName({ id, cause }: { readonly id: number; readonly cause: string }): string {
  return cause === 'cancelled' ? `${id} annulée` : `${id} remboursée, ${cause.replace('slip', 'avoir')}`;
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

/** Why the gate says no, by its rule. */
const RULES: Readonly<Record<Reason['rule'], string>> = {
  encoding: 'fichier de Proshop dans un autre codage',
  header: 'fichier de Proshop sans ses titres de colonnes',
  empty: 'fichier de Proshop vide',
  width: 'fichier de Proshop aux lignes mal formées',
  cut: 'fichier de Proshop coupé',
  store: 'fichier de Proshop d’un autre magasin',
  unreadable: 'trop de lignes illisibles dans le fichier de Proshop',
  duplicates: 'trop de lignes qui se contredisent dans le fichier de Proshop',
  stale: 'ancien fichier de Proshop, déjà vu',
  firstRun: 'toute première mise à jour',
  older: 'fichier de Proshop plus ancien que le dernier appliqué',
  rowsDown: 'beaucoup de lignes en moins',
  unitsDown: 'beaucoup d’unités en moins',
  toZero: 'beaucoup de déclinaisons passent à zéro',
};

/** What the gate says, and the figures of it. */
export function holdReason({ rule, message }: PrepareStockResult['reasons'][number]): string {
  return `${RULES[rule as Reason['rule']] ?? rule} (${message})`;
}

/** Why a step, or a work beside the steps, did not come to its end. */
export function whySentence({ type, message }: NonNullable<StepReport['why']>): string {
  return REASONS[type]?.(message) ?? `panne inattendue : ${message}`;
}

const REASONS: Readonly<Record<string, (message: string) => string>> = {
  NotYet: (message) => `délai dépassé : ${message}`,
  Refused: (message) => `refusé : ${message}`,
  BadData: (message) => `fichier illisible : ${message}`,
  Transient: (message) => `panne : ${message}`,
  TIMEOUT: (message) => `pas de réponse dans le délai : ${message}`,
  Overtaken: (message) => `Proshop écrit déjà son fichier suivant : ${message}`,
  ShopBusy: () => 'délai dépassé : la boutique fait encore un autre import',
  PlanTooOld: () => 'délai dépassé : la boutique n’a pas pris la mise à jour à temps',
  NoFreshStock: () => 'pas de stock frais de Proshop',
  DoubtfulStock: (message) => `fichier de stock douteux : ${message}`,
  LateOrdersUnknown: () => 'sans les commandes tardives, aucun stock n’est écrit',
  NothingPrepared: () => 'aucune mise à jour préparée',
  Held: (message) => `retenu par le contrôle : ${message}`,
  Shadow: () => 'laissé à l’ancienne passerelle',
  Hurried: () => 'attente écourtée : une personne ne voulait pas attendre Proshop',
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
    ...holdLines(report),
  ].join('\n');
}

/** What the gate held, in plain sight: who must decide what, or who did, and the update's largest changes. */
function holdLines({ holds = [], steps, endedAt }: CycleReport): readonly string[] {
  const hold = holds.at(-1);
  if (hold === undefined) return [];
  const facts = steps.find(({ name }) => name === 'prepareStock')?.facts as PrepareStockResult | null;
  const largest = facts?.difference.largest ?? [];
  const isOpen = hold.decision === null && endedAt === null;
  return [
    '',
    ...holds.map((one) => `**${holdSentence(one)}**`),
    ...(isOpen ? ['', DECISIONS.howTo] : []),
    ...(largest.length > 0
      ? [
          '',
          '| Produit | Taille | Gencod | Avant | Après |',
          '| --- | --- | --- | ---: | ---: |',
          ...largest.map(
            ({ ean, name, size, before, after }) =>
              `| ${cell(name)} | ${cell(size)} | ${ean} | ${before ?? 'absente'} | ${after} |`,
          ),
        ]
      : []),
  ];
}

/** `Mise à jour du stock retenue : décision attendue avant 10:55`, or what was decided. */
export function holdSentence({ until, timeZone, decision }: Hold): string {
  if (decision === null)
    return `Mise à jour du stock retenue : décision attendue avant ${hour(until, timeZone)}`;
  const { answer, who, why, at } = decision;
  return `Mise à jour du stock retenue, ${ANSWER_WORDS[answer]} par ${cell(who)} à ${hour(at, timeZone)} : ${cell(why)}`;
}

const ANSWER_WORDS = { apply: 'appliquée', skip: 'ignorée' } as const;

/** Answers to the update `decide`. */
export const DECISIONS = {
  description:
    'Décide d’une mise à jour du stock retenue : { "answer": "apply" ou "skip", "who": "qui", "why": "pourquoi" }',
  howTo:
    'Pour décider : *More Actions*, *Send an Update*, `decide`, avec `{ "answer": "apply", "who": "votre nom", "why": "la raison" }` (ou `"skip"` pour garder le stock de la boutique) ; cliquer *Submit* une seconde fois si rien ne se passe.',
  howToType:
    'Pour décider : npm run client -- decide apply --who "votre nom" --why "la raison" (ou skip pour garder le stock de la boutique)',
  noted: ({ answer, who }: Decision) => `Noté : mise à jour ${ANSWER_WORDS[answer]}, décision de ${who}.`,
  expected: (given: string) =>
    `Attendu : { "answer": "apply" ou "skip", "who": "qui décide", "why": "pourquoi" }, 200 caractères au plus chacun ; reçu : ${given.slice(0, 200) || 'rien'}`,
  decided: ({ answer, who }: Decision) => `Déjà décidé : mise à jour ${ANSWER_WORDS[answer]} par ${who}.`,
  nothingHeld: 'Aucune mise à jour du stock n’est retenue en ce moment.',
  paused: 'Le cycle est en pause : il n’entend rien avant Unpause Workflow, dans sa page.',
} as const;

/** What the operator's command asks of the gateway, as the Web UI names each of these workflows. */
export const QUESTIONS = {
  orders: 'Commandes en attente et à traiter',
  order: 'Parcours d’une commande',
  ordersSent: 'Commandes transmises depuis un jour',
  settleOrders: 'Commandes réglées à la main',
  diff: 'Ce que changerait une mise à jour du stock',
  replay: 'Cycle refait d’après son archive',
  resetShopCache: 'Cache de la boutique mis de côté',
} as const;

/** What the operator's command says. */
export const COMMAND = {
  description: 'Commande de la passerelle boutique ⇄ Proshop',
  titles: {
    'Usage:': 'Emploi :',
    'Arguments:': 'Arguments :',
    'Options:': 'Options :',
    'Commands:': 'Commandes :',
  },
  help: 'affiche cette aide',
  helpCommand: 'affiche l’aide d’une commande',
  json: 'écrit une seule ligne, en JSON',
  example: (line: string) => `\nExemple :\n  npm run client -- ${line}`,
  run: 'lance un cycle maintenant et le montre ; s’il y en a un en cours, le montre',
  now: 'n’attend pas Proshop : fait avec ce qui est là',
  status: 'dit où en est la passerelle',
  pause: 'arrête les nouveaux cycles ; celui qui est en cours va à son terme',
  pauseWhy: 'la raison, que tout le monde lira',
  resume: 'reprend les cycles',
  decide: 'décide d’une mise à jour du stock retenue',
  decideAnswer: 'apply : l’appliquer ; skip : garder le stock de la boutique',
  decideWho: 'qui décide',
  decideWhy: 'pourquoi',
  orders: 'montre les commandes en attente et à traiter, ou le parcours de l’une d’elles',
  ordersNumber: 'numéro de la commande',
  sent: 'donne les numéros des commandes que la passerelle a envoyées, ou qu’une personne a saisies, depuis un jour ; un par ligne, rien d’autre',
  sentSince: 'le premier jour, celui de la boutique : 2026-11-24',
  settle: 'note que des commandes ont été réglées à la main dans Proshop',
  settleNumbers: 'numéros des commandes ; le repère, 3f2a91c0-12, de celles qui n’en ont pas de lisible',
  settleWhy: 'ce qui a été fait',
  diff: 'dit ce qu’une mise à jour du stock changerait maintenant, sans rien changer',
  replay: 'refait un cycle d’après son archive et dit ce qui diffère, sans rien changer',
  replayCycle: 'son dossier dans l’archive, ou le début : 2026-11-24/10h25',
  doctor:
    'essaie les réglages et tout ce à quoi la passerelle se relie : FTP, boutique, courriel, Temporal, base, archive ; n’appelle aucun module et ne change rien',
  doctorConfig: 'le fichier des réglages ; sinon passerelle.yaml, dans le dossier courant',
  doctorSend: 'envoie aussi, pour de vrai, un courriel, un message et un signe de vie, s’ils sont réglés',
  report:
    'écrit une page sur les derniers jours : cycles, attentes, commandes, corrections, mises à jour retenues',
  reportDays: 'combien de jours, celui-ci compris : 90 au plus, 7 sans cette option',
  reportOut: 'le fichier à écrire ; sinon passerelle-AAAA-MM-JJ.html, dans le dossier courant',
  reportWritten: (path: string) => `Rapport écrit : ${path}`,
  reportNotWritten: (path: string, message: string) =>
    `Le rapport n’a pas pu être écrit dans ${path} : ${message}`,
  resetCache: 'met de côté le cache de la boutique (« prod »), quand le back office ne répond plus',
  refused: (message: string) => `Refusé : ${message}`,
  cacheReset: (name: string) =>
    `Cache de la boutique mis de côté sous le nom ${name} : la boutique en refait un.`,
  wrong: {
    'commander.missingArgument': 'il manque un mot',
    'commander.missingMandatoryOptionValue': 'il manque une option',
    'commander.optionMissingArgument': 'il manque la valeur d’une option',
    'commander.unknownOption': 'option inconnue',
    'commander.unknownCommand': 'commande inconnue',
    'commander.excessArguments': 'il y a un mot de trop',
    'commander.invalidArgument': 'valeur impossible',
  } as Readonly<Record<string, string>>,
  wrongWord: (what: string | undefined, word: string | undefined) =>
    `${what ?? 'Commande mal écrite'}${word === undefined ? '' : ` : ${word}`} (--help dit comment l’écrire)`,
  noTemporal: (address: string) =>
    `Temporal ne répond pas à ${address} : la passerelle est-elle lancée (npm start) ? Sinon, réglez TEMPORAL_ADDRESS.`,
  noAnswer: 'Temporal répond, mais la passerelle non : est-elle lancée (npm start) ?',
  noSchedule: 'Temporal ne connaît pas encore la passerelle : lancez-la une première fois (npm start).',
  started: (id: string) => `Cycle lancé : ${id}`,
  unexpected: (message: string) => `Cela n’a pas abouti : ${message}`,
  noReport:
    'Le cycle ne répond pas : pas encore commencé, mis en pause, ou passerelle arrêtée. On attend (Ctrl+C arrête d’attendre, pas le cycle).',
  silentCycle: 'il ne répond pas (pas encore commencé, ou passerelle arrêtée)',
  running: (id: string) => `Un cycle est déjà en cours, le voici : ${id}`,
  ended: (outcome: Outcome) => `Cycle ${OUTCOME_WORDS[outcome]}`,
  paused: (why: string) => `En pause : ${why}. Le cycle en cours, s’il y en a un, va à son terme.`,
  resumed: 'Les cycles reprennent.',
  unknownOrder: (id: number) => `Commande ${id} : la passerelle ne l’a jamais vue.`,
  settled: (ids: readonly OrderName[]) => `Réglées : ${ids.join(', ')}.`,
  neverSent: (ids: readonly number[]) =>
    `Attention, elles n’étaient pas encore envoyées et ne le seront plus : ${ids.join(', ')}. Proshop doit les avoir toutes.`,
  nothingToSettle: (ids: readonly OrderName[]) =>
    `Rien à régler pour : ${ids.join(', ')} (inconnues, déjà dans un fichier de ventes, annulées ou déjà réglées).`,
  notANumber: (word: string) => `Attendu : un numéro de commande ; reçu : ${word}`,
} as const;

/** What `doctor` says. */
export const DOCTOR = {
  /** Sent with `--send`. */
  message: {
    subject: 'Passerelle : essai',
    text: 'Un essai de la passerelle, demandé par une personne (npm run client -- doctor --send). Rien à faire.',
  },
  verdicts: { ok: 'bon', warning: 'attention', fault: 'erreur' },
  ends: {
    configuration: 'Réglages',
    template: 'Gabarit',
    ftp: 'FTP',
    shopFiles: 'Fichiers de la boutique',
    shop: 'Boutique',
    mail: 'Courriel',
    webhook: 'Messagerie',
    heartbeat: 'Surveillant extérieur',
    temporal: 'Temporal',
    ledger: 'Base de données',
    archive: 'Archive',
  },
  /** `2 erreurs, 1 point d’attention.`, and what was not tried. */
  summary: (findings: readonly Finding[]) => {
    const countOf = (wanted: Verdict) => findings.filter(({ verdict }) => verdict === wanted).length;
    const [faults, warnings] = [countOf('fault'), countOf('warning')];
    const found =
      faults + warnings === 0
        ? 'Tout est bon.'
        : `${count(faults, 'erreur', 'erreurs')}, ${count(warnings, 'point d’attention', 'points d’attention')}.`;
    const isWritten = findings.some(({ what }) => what === 'write');
    return isWritten ? `${found} Le droit d’écrire n’est essayé que dans le dossier ftp.staging.` : found;
  },
} as const satisfies {
  readonly message: Message;
  readonly verdicts: Readonly<Record<Verdict, string>>;
  readonly ends: Readonly<Record<End, string>>;
  readonly summary: (findings: readonly Finding[]) => string;
};

/** `bon       FTP : dossier /import (proshop.importFolder) : 2 fichiers`, and what to do when it is not. */
export function doctorLine(finding: Finding): string {
  const { end, what, verdict } = finding;
  const toDo = remedyOf(finding);
  return `${DOCTOR.verdicts[verdict].padEnd(9)} ${DOCTOR.ends[end]} : ${FOUND[what](finding)}${toDo === null ? '' : ` – À faire : ${toDo}`}`;
}

/** What to do; null for what is well. */
export function remedyOf({ what, verdict }: Finding): string | null {
  return verdict === 'ok' ? null : TO_DO[what];
}

/** One sentence for what is well, another for what is not. */
function either(well: (finding: Finding) => string, ill: (finding: Finding) => string) {
  return (finding: Finding) => (finding.verdict === 'ok' ? well(finding) : ill(finding));
}

const subjectAndError = ({ subject, seen }: Finding) => `${subject} : ${seen}`;

/** `essai d’écriture dans /passerelle`, and how it ended when it did not go well. */
function trial(ofWhat: string) {
  const name = ({ subject }: Finding) => `essai ${ofWhat} dans ${subject}`;
  return either(name, (finding) => `${name(finding)} : ${finding.seen}`);
}

/** What `doctor` saw, by what it tried. */
const FOUND: Readonly<Record<What, (finding: Finding) => string>> = {
  settings: either(({ subject }) => `${subject} lu, sans faute`, subjectAndError),
  'clear-text': ({ subject }) => `passe en clair sur le réseau : ${subject}`,
  template: either(({ subject }) => `${subject} lu, tous ses champs sont connus`, subjectAndError),
  connection: ({ subject, seen }) => `pas de connexion avec ${subject} : ${seen}`,
  login: either(
    ({ subject }) => `${subject} nous laisse entrer`,
    ({ subject, seen }) => `${subject} ne nous laisse pas entrer : ${seen}`,
  ),
  certificate: ({ subject, seen }) => `certificat de ${subject} valable jusqu’au ${frenchDay(String(seen))}`,
  folder: either(
    ({ subject, seen }) => `dossier ${subject} : ${count(Number(seen), 'fichier', 'fichiers')}`,
    ({ subject, seen }) => `dossier ${subject} : ${seen}`,
  ),
  mlsd: either(
    () => 'le serveur donne des listes sûres (MLSD)',
    () => 'le serveur ne donne que des listes à l’ancienne (pas de MLSD)',
  ),
  size: either(
    () => 'le serveur dit la taille des fichiers (SIZE)',
    ({ seen }) => `le serveur ne dit pas la taille des fichiers (SIZE) : ${seen}`,
  ),
  mdtm: either(
    () => 'le serveur dit l’heure des fichiers (MDTM)',
    () => 'le serveur ne dit pas l’heure des fichiers (MDTM)',
  ),
  write: trial('d’écriture'),
  unwritten: () => 'aucun essai d’écriture : à l’ombre (mode: shadow), rien n’est écrit',
  clock: either(
    () => 'le serveur est à l’heure de cette machine',
    ({ seen }) =>
      `le serveur ${Number(seen) > 0 ? 'avance' : 'retarde'} de ${duration(Math.abs(Number(seen)) * 1_000)} sur cette machine`,
  ),
  rename: trial('de changement de nom'),
  remove: trial('de suppression'),
  leftover: ({ subject, seen }) => `notre essai n’a pas pu être effacé (${subject}) : ${seen}`,
  address: either(({ subject, seen }) => `${subject} : bien écrite (${seen}), pas appelée`, subjectAndError),
  host: either(
    ({ subject }) => `${subject} répond`,
    ({ subject, seen }) => `${subject} ne répond pas : ${seen}`,
  ),
  webservice: either(
    ({ subject, seen }) => `Webservice de ${subject} : PrestaShop ${seen}`,
    ({ subject, seen }) => `Webservice de ${subject} : ${seen}`,
  ),
  right: either(
    ({ seen }) => `la clé a les ${seen} droits voulus`,
    ({ subject }) => `la clé n’a pas le droit ${subject}`,
  ),
  mail: either(({ subject }) => `${subject} nous laisse entrer`, subjectAndError),
  sending: either(
    () => 'essai envoyé',
    ({ seen }) => `l’essai n’est pas parti : ${seen}`,
  ),
  server: ({ verdict, subject, seen }) =>
    verdict === 'ok'
      ? `répond à ${subject}`
      : verdict === 'warning'
        ? `ne tourne pas encore (${subject})`
        : `ne répond pas à ${subject} : ${seen}`,
  namespace: either(
    ({ subject }) => `espace de noms ${subject}`,
    ({ subject, seen }) => `espace de noms ${subject} : ${seen}`,
  ),
  retention: either(
    ({ seen }) => `historiques gardés ${count(Number(seen), 'jour', 'jours')}`,
    ({ subject, seen }) =>
      `historiques gardés ${count(Number(seen), 'jour', 'jours')} seulement, au lieu de ${subject}`,
  ),
  worker: either(
    ({ subject }) => `une passerelle travaille (file ${subject})`,
    ({ subject }) => `aucune passerelle ne travaille (file ${subject})`,
  ),
  database: either(({ subject, seen }) => `${subject} ${seen} nous laisse entrer`, subjectAndError),
  migrations: either(
    () => 'tables à jour',
    ({ seen }) => `tables pas encore à jour (${count(Number(seen), 'étape manque', 'étapes manquent')})`,
  ),
  pglite: ({ subject, seen }) =>
    seen === 'held' ? `${subject}, ouvert par la passerelle qui tourne` : `${subject}, libre`,
  disk: trial('d’écriture'),
  privacy: ({ subject }) => `d’autres comptes peuvent entrer dans ${subject}`,
  space: ({ subject, seen }) => `${Number(seen).toLocaleString('fr-FR')} Go libres dans ${subject}`,
  time: ({ seen }) => `pas de réponse en ${seen} s`,
  unexpected: ({ seen }) => `panne inattendue : ${seen}`,
};

/** What to do where `doctor` did not see what it should. */
const TO_DO: Readonly<Record<What, string>> = {
  settings: 'corriger cette ligne (passerelle.example.yaml montre chaque réglage).',
  'clear-text': 'chiffrer, comme la parenthèse le dit.',
  template: 'corriger le gabarit (proshop.template ; docs/formats.md dit comment).',
  connection: 'vérifier l’adresse et le port, que le serveur tourne, et le pare-feu.',
  login: 'vérifier le nom, le mot de passe et le réglage tls ; pour un certificat, le réglage ca.',
  certificate: 'faire renouveler ce certificat avant cette date.',
  folder: 'créer ce dossier, corriger le réglage, ou donner à notre compte le droit d’y entrer.',
  mlsd: 'rien, si les dossiers sont bien listés ; sinon, demander MLSD à l’hébergeur.',
  size: 'demander SIZE à l’hébergeur : la passerelle ne peut pas s’en passer.',
  mdtm: 'le demander à l’hébergeur ; sans lui, un fichier réécrit à la même taille passe inaperçu.',
  write: 'donner à notre compte le droit d’écrire dans ce dossier, et y faire de la place.',
  unwritten: 'rien.',
  clock:
    'régler l’horloge du serveur ou celle de cette machine. Des heures entières : sans doute son heure locale, ce qui ne gêne pas.',
  rename: 'donner à notre compte le droit de renommer dans ce dossier.',
  remove: 'donner à notre compte le droit de supprimer dans ce dossier.',
  leftover: 'l’effacer à la main ; un fichier .tmp, un prochain cycle l’efface.',
  address: 'copier à nouveau cette adresse depuis le module.',
  host: 'vérifier l’adresse, que la machine tourne, son certificat et le pare-feu.',
  webservice: 'vérifier l’adresse et la clé, et que le Webservice est activé (docs/prestashop.md).',
  right: 'le cocher pour cette clé dans le back-office (docs/prestashop.md).',
  mail: 'vérifier l’adresse, le port, le nom, le mot de passe et le réglage tls (alerts.mail).',
  sending: 'corriger ce que dit le serveur, puis refaire l’essai.',
  server:
    'lancer la passerelle (npm start) ; si elle tourne, vérifier temporal.port, TEMPORAL_ADDRESS ou TEMPORAL_CONFIG_FILE.',
  namespace: 'créer cet espace de noms, corriger TEMPORAL_NAMESPACE, ou nous en donner le droit.',
  retention: 'allonger la durée dans le cluster, ou réduire temporal.retentionDays.',
  worker: 'lancer la passerelle (npm start).',
  database: 'vérifier DATABASE_URL, et que PostgreSQL tourne et nous laisse entrer.',
  migrations: 'rien : la passerelle les met à jour en démarrant (npm start).',
  pglite: 'rien.',
  disk: 'lancer cette commande avec le compte de la passerelle, et lui donner ce dossier, ou en régler un autre (data, archive.folder).',
  privacy: 'rien : la passerelle ferme ce dossier aux autres en démarrant.',
  space: 'faire de la place sur ce disque.',
  time: 'vérifier que ce serveur tourne et n’est pas débordé.',
  unexpected: 'prévenir la personne qui s’occupe de la passerelle, avec cette ligne.',
};

const MODES: Readonly<Record<ScheduleSeen['mode'], string>> = {
  live: 'en service',
  shadow: 'ombre de l’ancienne passerelle, rien n’est écrit (mode: shadow)',
};

/** How things stand, a line each. */
export function statusLines({ schedule, running, last, orders }: Status): readonly string[] {
  return [
    schedule === null
      ? COMMAND.noSchedule
      : schedule.paused
        ? `Programmation : en pause${schedule.note === '' ? '' : ` : ${schedule.note}`}`
        : `Programmation : active, prochain cycle ${schedule.nextAt === null ? 'inconnu' : moment(schedule.nextAt)}`,
    ...(schedule === null ? [] : [`Mode : ${MODES[schedule.mode]}`]),
    running === null ? 'Aucun cycle en cours.' : runningLine(running),
    ...(running?.report?.holds?.at(-1)?.decision === null ? [DECISIONS.howToType] : []),
    ...(last.length === 0 ? [] : ['Derniers cycles :', ...last.map(cycleLine)]),
    ...(orders === null ? [COMMAND.noAnswer] : ordersSummary(orders)),
  ];
}

/** What a stock update would change, a line each. */
export function diffLines({
  exportedAt,
  passed,
  reasons,
  difference,
  ...facts
}: DiffResult): readonly string[] {
  const { up, down, toZero, created, unchanged, largest } = difference;
  return [
    `Fichier de Proshop${exportedAt === null ? '' : `, ${moment(exportedAt)}`} : ${count(facts.rows, 'ligne', 'lignes')}, ${count(facts.units, 'unité', 'unités')} à montrer`,
    `Déclinaisons : hausse ${up}, baisse ${down}, à zéro ${toZero}, nouvelles ${created}, inchangées ${unchanged}`,
    `${count(facts.outstanding, 'commande que Proshop ne compte pas encore', 'commandes que Proshop ne compte pas encore')} : ${count(facts.corrected, 'déclinaison corrigée', 'déclinaisons corrigées')}, ${count(facts.withheld ?? 0, 'unité retenue', 'unités retenues')}`,
    ...(facts.setAside === 0 ? [] : [count(facts.setAside, 'ligne mise de côté', 'lignes mises de côté')]),
    passed
      ? 'Le contrôle laisserait passer cette mise à jour.'
      : `Le contrôle retiendrait cette mise à jour : ${reasons.map(holdReason).join(' ; ')}`,
    ...(largest.length === 0 ? [] : ['Les plus grands changements :']),
    ...largest.map(
      ({ ean, name, size, before, after }) =>
        `  ${[name, size, ean].filter((word) => word !== '').join(', ')} : ${before ?? 'absente'} → ${after}`,
    ),
  ];
}

/** What differs when a cycle is computed again, a line each. */
export function replayLines({ folder, orders, sales, stock, rules }: ReplayResult): readonly string[] {
  const told = (
    what: string,
    { compared, different }: { readonly compared: number; readonly different: number },
    names: readonly string[],
  ) => {
    if (compared === 0) return `  ${what} : rien à comparer`;
    if (different === 0) return `  ${what} : ${compared} comparées, rien ne diffère`;
    const more = different > names.length ? ', …' : '';
    return `  ${what} : ${compared} comparées, ${different} qui diffèrent : ${names.join(', ')}${more}`;
  };
  return [
    `Cycle ${folder}, refait avec le programme et les réglages d’aujourd’hui`,
    told(
      'Commandes relues',
      orders,
      orders.first.map(({ id, fields }) => `${id} (${fields.join(' ') || 'mise de côté'})`),
    ),
    told('Lignes du fichier de ventes', sales, sales.first.map(String)),
    told(
      'Déclinaisons du stock',
      stock,
      stock.first.map(
        ({ ean, size, was, now }) =>
          `${[ean, size].filter((word) => word !== '').join(' ')} (${was ?? 'absente'} → ${now ?? 'absente'})`,
      ),
    ),
    ...(rules === null
      ? []
      : [`  Contrôle : ${verdict(rules.was)} alors, ${verdict(rules.now)} aujourd’hui`]),
  ];
}

function verdict(rules: readonly string[]): string {
  return rules.length === 0
    ? 'passé'
    : `retenu (${rules.map((rule) => RULES[rule as Reason['rule']] ?? rule).join(', ')})`;
}

function runningLine({ startedAt, status, report }: CycleSeen): string {
  if (status === 'PAUSED')
    return `Cycle en pause, commencé ${moment(startedAt)} : il ne fait rien, et aucun autre ne part, avant Unpause Workflow, dans sa page.`;
  return `Cycle en cours depuis ${moment(startedAt)} : ${report === null ? COMMAND.silentCycle : nowAt(report)}`;
}

function nowAt({ steps, holds = [] }: CycleReport): string {
  const step = steps.find(({ state }) => state === 'running');
  const hold = holds.findLast(({ decision }) => decision === null);
  if (hold !== undefined) return holdSentence(hold);
  return step === undefined ? OPENING : stepLabel(step.name);
}

function cycleLine({ startedAt, endedAt, status, report }: Status['last'][number]): string {
  const minutes = endedAt === null ? '' : `, ${duration(Date.parse(endedAt) - Date.parse(startedAt))}`;
  const outcome = report === null ? (ENDS[status] ?? status) : OUTCOME_WORDS[report.outcome];
  const alarms = report?.alarms.map(({ message }) => `\n    ⚠ ${message}`).join('') ?? '';
  return `  ${moment(startedAt)} : ${outcome}${minutes}${alarms}`;
}

/** Cycles that came to no end of their own. */
const ENDS: Readonly<Record<string, string>> = {
  FAILED: 'en échec',
  TERMINATED: 'arrêté de force',
  CANCELLED: 'annulé',
  TIMED_OUT: 'hors délai',
};

function ordersSummary({ outstanding, ...others }: OrdersForPeople): readonly string[] {
  const groups = peopleGroups(others);
  return [
    `Commandes que le stock de Proshop ne compte pas encore : ${outstanding.total}`,
    ...(groups.length === 0
      ? ['Rien n’attend une personne.']
      : [
          'À traiter par une personne :',
          ...groups.map(({ title, names }) => `  ${title} : ${names.join(', ')}`),
        ]),
  ];
}

/** All orders of a kind, a line each. */
export function ordersLines({ outstanding, ...others }: OrdersForPeople): readonly string[] {
  return [
    `Commandes que le stock de Proshop ne compte pas encore : ${outstanding.total}`,
    ...outstanding.first.map((journey) => `  ${journey.id} (${journey.reference}) : ${whereabouts(journey)}`),
    ...more(outstanding),
    ...peopleGroups(others).flatMap(({ title, lines }) => [
      `${title} :`,
      ...lines.map((line) => `  ${line}`),
    ]),
  ];
}

function peopleGroups({ byHand, setAside, takeBacks, incomplete }: Omit<OrdersForPeople, 'outstanding'>) {
  const group = <T>(title: string, list: Listed<T>, name: (one: T) => string, line: (one: T) => string) => ({
    title: `${title} (${list.total})`,
    names: [...list.first.slice(0, 10).map(name), ...(list.total > 10 ? ['…'] : [])],
    lines: [...list.first.map(line), ...more(list)],
    total: list.total,
  });
  return [
    group(
      'À saisir à la main',
      byHand,
      ({ id }) => `${id}`,
      ({ id, reference }) => `${id} (${reference})`,
    ),
    group(
      'Mises de côté',
      setAside,
      ({ id }) => orderName(id),
      ({ id, reason }) => `${orderName(id)} : ${reason ?? ''}`,
    ),
    group(
      'À reprendre dans Proshop',
      takeBacks,
      takeBackName,
      (one) => `${takeBackName(one)} (${one.reference})`,
    ),
    group(
      'Inachevées dans la boutique',
      incomplete,
      ({ id }) => `${id}`,
      ({ id, reference, givenUp }) => `${id} (${reference})${givenUp ? ' : on n’y compte plus' : ''}`,
    ),
  ].filter(({ total }) => total > 0);
}

/** What `orders settle` takes of it: its number, or its tag. */
function orderName(name: OrderName): string {
  return typeof name === 'number' ? `${name}` : `sans numéro lisible, repère ${name}`;
}

function more({ total, first }: Listed<unknown>): readonly string[] {
  return total > first.length ? [`  … et ${total - first.length} de plus`] : [];
}

/** Where an order is on its way into Proshop's stock. */
function whereabouts({ route, settled, delivery, reflected }: OrderJourney): string {
  if (reflected !== null) return 'comptée dans le stock de Proshop';
  if (settled !== null) return `réglée à la main (${settled.why}), attend le prochain stock de Proshop`;
  if (delivery !== null) {
    if (delivery.publishedAt === null) return `en cours de dépôt dans ${delivery.file}`;
    return delivery.takenAt === null
      ? `déposée dans ${delivery.file}, pas encore prise par Proshop`
      : 'prise par Proshop, attend son prochain stock';
  }
  return ROUTE_WORDS[route];
}

const ROUTE_WORDS: Readonly<Record<OrderJourney['route'], string>> = {
  send: 'à envoyer au prochain cycle',
  by_hand: 'à saisir à la main',
  set_aside: 'mise de côté',
  waiting: 'en attente de paiement',
  cancelled: 'annulée avant l’envoi',
};

/** The whole way of one order, a line each. */
export function journeyLines(journey: OrderJourney | IncompleteJourney): readonly string[] {
  const title = `Commande ${journey.id} (${journey.reference})`;
  if (!('route' in journey)) {
    const { firstSeenAt, givenUpAt } = journey;
    return [
      `${title} : la boutique ne l’a pas achevée`,
      `  vue ${moment(firstSeenAt)}`,
      ...(givenUpAt === null ? [] : [`  on n’y compte plus depuis ${moment(givenUpAt)}`]),
    ];
  }
  const { seen, reason, delivery, reflected, settled, takeBacks } = journey;
  return [
    `${title} : ${whereabouts(journey)}`,
    `  vue ${moment(seen.at)} (étape ${seen.step}, ${seen.file})`,
    ...(reason === null ? [] : [`  raison : ${reason}`]),
    ...(delivery === null ? [] : [`  mise dans ${delivery.file}`]),
    ...(delivery?.publishedAt == null ? [] : [`  déposée ${moment(delivery.publishedAt)}`]),
    ...(delivery?.takenAt == null ? [] : [`  prise par Proshop ${moment(delivery.takenAt)}`]),
    ...(settled === null ? [] : [`  réglée à la main ${moment(settled.at)} : ${settled.why}`]),
    ...(reflected === null ? [] : [`  comptée dans le stock de Proshop lu ${moment(reflected.collectedAt)}`]),
    ...takeBacks.map(
      (one) =>
        `  à reprendre dans Proshop (${takeBackName({ id: journey.id, cause: one.cause })}), vu ${moment(one.seenAt)}${one.settled === null ? '' : `, repris ${moment(one.settled.at)} : ${one.settled.why}`}`,
    ),
  ];
}

/** `le 24/11 à 10:25`, by the reader's clock. */
function moment(instant: string): string {
  const date = new Date(instant);
  const day = date.toLocaleDateString('fr-FR', { day: '2-digit', month: '2-digit' });
  const time = date.toLocaleTimeString('fr-FR', { hour: '2-digit', minute: '2-digit' });
  return `le ${day} à ${time}`;
}

/** Milliseconds, as `5 min 10 s`. */
function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Text that comes from outside, in a Markdown table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

/** Hour of an ISO 8601 instant, `10:55`. */
function hour(instant: string, timeZone: string): string {
  return new Date(instant).toLocaleTimeString('fr-FR', { hour: '2-digit', minute: '2-digit', timeZone });
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
  inDoubt: (ids: readonly number[]) =>
    `Commandes peut-être transmises par l’ancienne passerelle, à vérifier dans Proshop : ${ids.join(', ')}.`,
  ordersUnreadable: (files: readonly string[]) =>
    `Commandes : la boutique a laissé un fichier que personne ne peut plus lire (${files.join(' ; ')}).`,
  unwatched:
    'Ventes : personne ne regardait pendant une partie de ce temps, la comparaison n’est pas entière.',
  salesDiffer: (comparison: ShadowSalesResult['comparison']) =>
    `Ventes : l’ancienne passerelle a fait autrement (${salesDifferences(comparison)}).`,
  stockDiffers: ({ unexplained, disagreements }: ShadowStockResult['comparison']) =>
    `Stock : ${count(unexplained, 'déclinaison diffère', 'déclinaisons diffèrent')} sans raison connue (${disagreements
      .filter(({ rule }) => rule === null)
      .map(({ ean, reference, ours, theirs }) => `${ean || reference} : ${theirs} au lieu de ${ours}`)
      .join(', ')}).`,
  wouldHold: (reasons: PrepareStockResult['reasons']) =>
    `Stock : le contrôle aurait retenu la mise à jour que l’ancienne passerelle a faite (${reasons.map(holdReason).join(' ; ')}).`,
} as const;

// Beside the old gateway.
export const SHADOW_SUMMARY = 'Suit les fichiers de l’ancienne passerelle';
export const SHADOW_DETAILS =
  'Copie chaque fichier que l’ancienne passerelle laisse sur le FTP, sans rien y changer, pour que les cycles le comparent au leur.';
export const SHADOW_LOOK = 'Regarde toutes les quelques secondes';
export const SHADOW_PAUSE = 'Le FTP a refusé : pause avant de regarder à nouveau';
export const SHADOW_DOUBT = 'on ne sait pas si l’ancienne passerelle l’a transmise. À vérifier dans Proshop';

function salesDifferences(comparison: ShadowSalesResult['comparison']): string {
  const { orders, other, unreadable, byHand, unreadableFiles, frame, missed, unknown } = comparison;
  return list([
    other > 0 &&
      `${count(other, 'commande différente', 'commandes différentes')} : ${orders
        .map(({ id, paths: [first = ''] }) => `${id} ${first}`)
        .join(', ')}`,
    unreadable.length > 0 && `transmises bien qu’illisibles ici : ${unreadable.join(', ')}`,
    byHand.length > 0 &&
      `à saisir à la main ici, transmises par l’ancienne passerelle : ${byHand.join(', ')}`,
    unreadableFiles.length > 0 &&
      `${unreadableFiles.length < 2 ? 'fichier de ventes illisible' : 'fichiers de ventes illisibles'} : ${unreadableFiles.join(', ')}`,
    frame.length > 0 && `autour des commandes : ${frame.join(', ')}`,
    missed.length > 0 && `${count(missed.length, 'oubliée', 'oubliées')} : ${missed.join(', ')}`,
    unknown > 0 && count(unknown, 'vente inconnue', 'ventes inconnues'),
  ]);
}

// The daily upkeep.
export const UPKEEP_SUMMARY = 'Entretien quotidien';
export const UPKEEP_DETAILS =
  'Chaque nuit : ce qui a dépassé sa durée de conservation est effacé, puis l’historique de chaque cycle clos est rangé dans l’archive.';
export const UPKEEP_WORK = 'Purge de l’archive et rangement des historiques';

/** What the upkeep did, in one line. */
export function upkeepSentence(done: UpkeepResult): string {
  return list([
    done.histories === 0
      ? 'aucun historique à archiver'
      : `${count(done.histories, 'historique archivé', 'historiques archivés')} (${bytes(done.bytes)})`,
    done.lost > 0 &&
      count(done.lost, 'historique déjà effacé par Temporal', 'historiques déjà effacés par Temporal'),
    done.purgedDays === 0
      ? 'aucun jour à effacer de l’archive'
      : `${count(done.purgedDays, 'jour effacé', 'jours effacés')} de l’archive`,
    done.forgottenOrders > 0 &&
      count(
        done.forgottenOrders,
        'commande dont le client est oublié',
        'commandes dont le client est oublié',
      ),
  ]);
}

function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString('fr-FR')} ${n < 2 ? one : many}`;
}

function bytes(size: number): string {
  return `${size.toLocaleString('fr-FR')} octets`;
}

function list(parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(', ');
}

// The watch: what is sent by e-mail and webhook.
export const WATCH_SUMMARY = 'Surveillance de la passerelle';
export const WATCH_DETAILS =
  'Regarde sans cesse si quelque chose demande une personne, et prévient par e-mail et webhook : une fois au début, une fois à la fin.';
export const WATCH_LOOK = 'Regarde et prévient';
export const WATCH_PAUSE = 'Pause avant de regarder à nouveau';

/** A message: the number, the reason, what to do and the link. Instants are told by the shop's clock. */
export function warningMessage(
  news: News,
  { webUi, timeZone }: { readonly webUi: string; readonly timeZone: string },
): Message {
  const { title, lines } =
    news.change === 'over'
      ? { title: `c’est réglé – ${overSentence(news)}`, lines: ['Plus rien à faire.'] }
      : beginning(news, (instant) => dayAndHour(instant, timeZone));
  return { subject: `Passerelle : ${title}`, text: [...lines, '', `Temporal : ${webUi}`].join('\n') };
}

type Beginning = Extract<News, { readonly change: 'began' }>;

function beginning(
  { kind, warnings }: Beginning,
  when: (instant: number) => string,
): { readonly title: string; readonly lines: readonly string[] } {
  const [{ since, until, reasons } = { since: 0, until: null, reasons: [] }] = warnings;
  const orders = warnings.flatMap((warning) => warning.orders);
  switch (kind) {
    case 'batch-held':
      return {
        title: '1 mise à jour du stock retenue',
        lines: [
          ALARMS.held,
          ...reasonLines(reasons),
          until === null
            ? 'À faire : chercher la cause dans le rapport du cycle ; le cycle suivant prépare une nouvelle mise à jour.'
            : `À faire avant le ${when(until)} : comparer les stocks dans le rapport du cycle, puis décider (npm run client -- decide apply ou skip). Sans décision, la boutique garde son stock.`,
        ],
      };
    case 'orders-not-taken':
      return {
        title: `${count(orders.length, 'commande pas encore prise', 'commandes pas encore prises')} par Proshop (${someOf(orders)})`,
        lines: [
          `Proshop n’a pas pris le fichier des ventes déposé le ${when(since)}.`,
          'À faire : vérifier que Proshop est ouvert et que son import tourne. Ne pas saisir ces commandes à la main : Proshop les prendra en reprenant.',
        ],
      };
    case 'orders-set-aside':
      return {
        title: `${setAsideCount(warnings.length)} (${numbersOf(warnings)})`,
        lines: [
          'Illisibles pour la passerelle, qui ne les envoie pas à Proshop :',
          ...reasonLines(warnings.map(setAsideReason)),
          `À faire : les corriger dans la boutique, qui les exporte alors à nouveau, ou les saisir à la main dans Proshop. Ne noter que celles qui ont été saisies, car une commande notée n’est plus jamais envoyée : ${SETTLE}`,
        ],
      };
    case 'orders-by-hand':
      return {
        title: `${byHandCount(warnings.length)} (${numbersOf(warnings)})`,
        lines: [
          'Payées en bon cadeau : la passerelle ne les envoie pas à Proshop.',
          `À faire : les saisir dans Proshop. Ensuite, le noter : ${SETTLE}`,
        ],
      };
    case 'no-fresh-stock':
      return {
        title: '2 cycles de suite sans export de stock de Proshop',
        lines: [
          `Depuis le cycle du ${when(since)}, aucun ExportCSV neuf et complet : le stock de la boutique ne change plus.`,
          'À faire : vérifier que Proshop est ouvert et que son export de stock tourne.',
        ],
      };
    case 'cycle-failed':
      return {
        title: `1 cycle en échec, le ${when(since)}`,
        lines: [
          'Ce qui n’a pas abouti :',
          ...reasonLines(reasons),
          'À faire : ouvrir ce cycle et supprimer la cause. Le cycle suivant reprend ce qui manque.',
        ],
      };
    case 'schedule-paused':
      return {
        title: `cycles en pause depuis le ${when(since)}`,
        lines: [
          'Quelqu’un a suspendu les cycles : ni commandes, ni produits, ni stock ne passent.',
          'À faire : les relancer dès que possible (npm run client -- resume ; pour un cycle en pause au milieu : Unpause Workflow, dans sa page).',
        ],
      };
  }
}

function overSentence({ kind, warnings }: Extract<News, { readonly change: 'over' }>): string {
  switch (kind) {
    case 'batch-held':
      return 'plus de mise à jour du stock retenue';
    case 'orders-not-taken':
      return 'Proshop a pris les commandes en attente';
    case 'orders-set-aside':
      return `${setAsideCount(warnings.length)} (${numbersOf(warnings)})`;
    case 'orders-by-hand':
      return `${byHandCount(warnings.length)} (${numbersOf(warnings)})`;
    case 'no-fresh-stock':
      return 'Proshop exporte à nouveau son stock';
    case 'cycle-failed':
      return 'le dernier cycle n’a pas connu d’échec';
    case 'schedule-paused':
      return 'les cycles ne sont plus en pause';
  }
}

/** Steps with a warning of their own, which is more patient. */
const WARNED_APART: readonly StepName[] = ['awaitOrdersTaken', 'collectStock'];

/** What a closed cycle did not do, a line each; `status` is Temporal's word. Null when its report is not known. */
export function cycleFailures(status: string, report: CycleReport | null): readonly string[] | null {
  if (status !== 'COMPLETED') return [`cycle ${ENDS[status] ?? status}`];
  if (report === null) return null;
  return [
    ...report.steps
      .filter(({ name, state }) => state === 'failed' && !WARNED_APART.includes(name))
      .map((step) => `${stepLabel(step.name)} : ${stepSentence(step)}`),
    ...report.alarms.filter(({ step }) => step === 0).map(({ message }) => message),
  ];
}

const SETTLE = 'npm run client -- orders settle NUMÉRO --why "saisie à la main"';

function setAsideCount(n: number): string {
  return count(n, 'commande mise de côté', 'commandes mises de côté');
}

function byHandCount(n: number): string {
  return count(n, 'commande à saisir à la main', 'commandes à saisir à la main');
}

function setAsideReason(warning: Warning): string {
  return `${numberOf(warning)} : ${warning.reasons.join(' ; ') || 'raison inconnue'}`;
}

function numberOf({ subject }: WarningKey): string {
  return orderName(/^\d+$/.test(subject) ? Number(subject) : subject);
}

function numbersOf(warnings: readonly WarningKey[]): string {
  return someOf(warnings.map(numberOf));
}

/** A message stays short, however much is wrong. */
const SOME = 20;
const LONGEST_REASON = 500;

function someOf(items: readonly (string | number)[]): string {
  return items.slice(0, SOME).join(', ') + (items.length > SOME ? ', …' : '');
}

function reasonLines(reasons: readonly string[]): readonly string[] {
  return [
    ...reasons.slice(0, SOME).map((reason) => `- ${reason.slice(0, LONGEST_REASON)}`),
    ...(reasons.length > SOME ? ['- …'] : []),
  ];
}

/** `24/11 à 10:25` */
function dayAndHour(instant: number, timeZone: string): string {
  const date = new Date(instant);
  const day = date.toLocaleDateString('fr-FR', { day: '2-digit', month: '2-digit', timeZone });
  return `${day} à ${hour(date.toISOString(), timeZone)}`;
}

/** How a closed cycle ended; `other` = no end of its own. */
export type Ending = Exclude<Outcome, 'running'> | 'other';

const PARIS = 'Europe/Paris';
const ENDING_WORDS: Readonly<Record<Ending, string>> = {
  complete: OUTCOME_WORDS.complete,
  degraded: OUTCOME_WORDS.degraded,
  held: OUTCOME_WORDS.held,
  failed: OUTCOME_WORDS.failed,
  other: 'arrêté de force, annulé ou hors délai',
};

/** How a cycle beside the old gateway compares: `explained` = each difference has a rule, `missing` = not compared, or not whole. */
export type ShadowVerdict = 'identical' | 'explained' | 'different' | 'missing';

const SHADOW_VERDICTS: Readonly<Record<ShadowVerdict, string>> = {
  identical: 'identique',
  explained: 'expliqué',
  different: 'différent',
  missing: 'pas comparé',
};

/** `24/11 à 10:25`, in Paris. */
function inParis(instant: string): string {
  return dayAndHour(Date.parse(instant), PARIS);
}

/** What the page about several days says. It is read by one clock, wherever it was written. */
export const PERIOD = {
  timeZone: PARIS,
  endings: ENDING_WORDS,
  waits: { ordersTaken: 'attente de l’import des commandes', stockExport: 'attente de l’export du stock' },
  minutes: 'minutes',
  number: (n: number) => n.toLocaleString('fr-FR'),
  /** `mar. 24/11` */
  day: (day: string) =>
    new Date(`${day}T12:00:00Z`).toLocaleDateString('fr-FR', {
      weekday: 'short',
      day: '2-digit',
      month: '2-digit',
      timeZone: 'UTC',
    }),
  hour: (instant: string) => hour(instant, PARIS),
  moment: inParis,
  from: (first: string, last: string) => `Du ${frenchDay(first)} au ${frenchDay(last)}`,
  /** `2 cycles terminés : complet 1, retenu 1` */
  summary: (endings: readonly Ending[]) => {
    const counts = (Object.keys(ENDING_WORDS) as Ending[])
      .map((ending) => [ENDING_WORDS[ending], endings.filter((one) => one === ending).length] as const)
      .filter(([, n]) => n > 0);
    return `${count(endings.length, 'cycle terminé', 'cycles terminés')} : ${counts.map(([word, n]) => `${word} ${n}`).join(', ')}`;
  },
  /** How the cycles beside the old gateway compare, by when they began (ISO 8601), the oldest first; there is one at least. */
  shadow: (cycles: readonly { readonly startedAt: string; readonly verdict: ShadowVerdict }[]) => {
    const of = (wanted: ShadowVerdict, among = cycles) =>
      among.filter(({ verdict }) => verdict === wanted).length;
    const lastBad = cycles.findLastIndex(({ verdict }) => verdict === 'different' || verdict === 'missing');
    const run = cycles.slice(lastBad + 1);
    const counts = (Object.keys(SHADOW_VERDICTS) as ShadowVerdict[])
      .map((verdict) => [verdict, of(verdict)] as const)
      .filter(([, n]) => n > 0);
    return [
      `${list([
        `${count(run.length, 'cycle', 'cycles')} de suite sans différence inexpliquée`,
        // By its beginning and end a run shows the cycles that it lacks.
        run.length > 0 && `du ${inParis(run[0]?.startedAt ?? '')} au ${inParis(run.at(-1)?.startedAt ?? '')}`,
        run.length > 0 && `dont ${count(of('identical', run), 'identique', 'identiques')}`,
      ])}.`,
      `En tout : ${counts.map(([verdict, n]) => `${SHADOW_VERDICTS[verdict]} ${n}`).join(', ')}.`,
    ].join(' ');
  },
  verdict: (verdict: ShadowVerdict) => SHADOW_VERDICTS[verdict],
  decision: (decision: Decision | null) =>
    decision === null
      ? 'personne n’a décidé à temps'
      : `${ANSWER_WORDS[decision.answer]} le ${dayAndHour(Date.parse(decision.at), PARIS)}`,
  words: {
    title: 'Rapport de la passerelle boutique ⇄ Proshop',
    clock: 'Heures de Paris ; un cycle appartient au jour où il a commencé.',
    nothing: 'Aucun cycle terminé pendant cette période.',
    cycles: 'Cycles',
    cyclesNote:
      'Une barre par cycle, à l’heure de son début. En haut, sa durée et sa fin ; en bas, combien de temps il a attendu Proshop.',
    perDay: 'Par jour',
    day: 'Jour',
    sent: 'Ventes envoyées à Proshop',
    orders: 'Commandes envoyées',
    units: 'Pièces vendues',
    corrections: 'Corrections du stock',
    correctionsNote:
      'Corrections pour les commandes que le stock de Proshop ne compte pas encore, additionnées sur les cycles du jour : celle qui dure pendant trois cycles compte trois fois.',
    corrected: 'Déclinaisons corrigées',
    withheld: 'Pièces retenues',
    holds: 'Mises à jour du stock retenues',
    noHold: 'Aucune mise à jour retenue.',
    cycle: 'Cycle',
    reasons: 'Raisons',
    decision: 'Décision',
    who: 'Qui',
    why: 'Pourquoi',
    shadow: 'À l’ombre de l’ancienne passerelle',
    sales: 'Ventes',
    stock: 'Stock',
  },
} as const;

/** `24/11/2026` */
function frenchDay(day: string): string {
  return day.split('-').toReversed().join('/');
}

/** Why `format` cannot do what was asked. */
const REFUSED: Readonly<Record<FormatFilesError['reason'], (path: string, detail: string) => string>> = {
  unreadable: (path, detail) => `${path} ne peut pas être lu (${detail}).`,
  'not written': (path, detail) =>
    detail === 'EEXIST'
      ? `${path} existe déjà, il reste tel quel.`
      : `${path} n’a pas pu être écrit (${detail}).`,
  'file and folder': (path) => `Il faut deux fichiers ou deux dossiers ; ${path} est un fichier.`,
  'no pair': (path) => `Aucun fichier de ${path} n’a de fichier de ventes du même nom.`,
  'no template': (path) => `Pas de réglages dans ${path} : donnez le gabarit avec --template.`,
  'no columns': (path) =>
    `Les colonnes de ${path} ne se devinent pas toutes : npm run client -- format orders ${path} dit lesquelles.`,
  'no order': (path) =>
    `Aucun élément de ${path} ne porte les valeurs d’une des commandes : est-ce le bon fichier ?`,
  'no line': (path) =>
    `Dans ${path}, aucun élément ne porte les valeurs d’une ligne à l’intérieur de sa commande : un gabarit ne sait pas l’écrire.`,
};

/** What `format` says of the shop's own files. */
export const FORMAT = {
  description:
    'explique les fichiers de la boutique et de la caisse, et en tire réglages et gabarit ; ne lit que cette machine',
  config: 'le fichier des réglages ; sinon passerelle.yaml, dans le dossier courant',
  orders: 'explique un fichier de commandes ; si les réglages ne lui vont pas, en propose',
  ordersFile: 'le fichier de commandes, tel que la boutique l’a écrit',
  stock: 'explique un fichier de stock ; si les réglages ne lui vont pas, en propose',
  stockFile: 'le fichier de stock, tel que Proshop l’a écrit',
  check: 'refait des fichiers de ventes avec le gabarit et dit ce qui diffère de ceux qui ont été envoyés',
  checkOrders: 'un fichier de commandes, ou un dossier',
  checkXml: 'le fichier de ventes qui en a été fait, ou un dossier : mêmes noms, à l’extension près',
  checkTemplate: 'un autre gabarit que celui des réglages',
  draft: 'fait un premier gabarit d’un fichier de commandes et du fichier de ventes qui en a été fait',
  draftOrders: 'le fichier de commandes',
  draftXml: 'le fichier de ventes qui en a été fait',
  draftOut: 'où écrire le gabarit ; un fichier qui existe déjà n’est pas remplacé. Sinon, il est affiché',
  noSettings: (fault: string) => `Sans réglages, d’après les fichiers seulement. ${fault}`,
  refused: REFUSED,
} as const;

/** What an orders file is, a line each; a section of passerelle.yaml stands as it must be copied. */
export function formatOrdersLines(explained: OrdersExplained): readonly string[] {
  const { content, fault } = explained;
  return [
    ...seenLines(explained.file, explained.seen),
    ...(fault === null ? [] : [`Ne se lit pas : ${printable(fault)}`]),
    ...columnLines(explained),
    ...(content === null
      ? []
      : [
          `${READ_WITH[explained.readWith ?? 'proposal']} : ${count(content.orders, 'commande', 'commandes')}${numberRange(content)}, ${count(content.lines, 'ligne', 'lignes')}`,
          ...cutLines(content),
          ...rejectLines('Commandes mises de côté', content.rejects),
        ]),
    ...proposalLines(explained.proposal, 'orders.file et orders.columns'),
  ];
}

/** What a stock file is, a line each. */
export function formatStockLines(explained: StockExplained): readonly string[] {
  const { content, doubts } = explained;
  return [
    ...seenLines(explained.file, explained.seen),
    ...doubts.map((doubt) => `Doute : ${printable(doubt)}`),
    ...columnLines(explained),
    ...(content === null
      ? []
      : [
          `${READ_WITH[explained.readWith ?? 'proposal']} : ${count(content.rows, 'ligne', 'lignes')}, ${count(content.models, 'modèle', 'modèles')}, ${count(content.variants, 'déclinaison', 'déclinaisons')}, ${count(content.units, 'pièce', 'pièces')}`,
          ...rejectLines('Lignes illisibles', content.rejects),
        ]),
    ...proposalLines(explained.proposal, 'stock.file, stock.columns et stock.store'),
  ];
}

/** How rendered sales files differ from those that were sent, a line each. */
export function formatCheckLines({ pairs, alone }: FilesCheck): readonly string[] {
  return [
    ...pairs.flatMap(({ orders, xml, check, fault }) => [
      `${orders} et ${xml} : ${check === null ? `illisible. ${printable(fault ?? '')}` : checkSummary(check)}`,
      ...(check === null ? [] : checkLines(check)),
    ]),
    ...alone.map((path) => `${path} : sans l’autre fichier du même nom`),
  ];
}

/** What a draft is, and what a person has to look at, a line each. */
export function formatDraftLines({
  out,
  notes,
  orders,
  absent,
  unknown,
  check,
}: Omit<FileDraft, 'bytes' | 'template'>): readonly string[] {
  return [
    ...(out === null ? [] : [`Gabarit écrit : ${out}`]),
    `Fait d’après ${count(orders, 'commande', 'commandes')}`,
    ...(absent.length === 0
      ? []
      : [`Commandes qui ne sont pas dans le fichier de ventes : ${someOf(absent)}`]),
    ...(unknown === 0 ? [] : [`Ventes qui ne sont pas dans le fichier de commandes : ${unknown}`]),
    ...(notes.length === 0 ? ['Rien à vérifier.'] : ['À vérifier :']),
    ...notes.map((note) => `  ${note.path} : ${NOTES[note.doubt](note)}`),
    `Essayé sur ces deux fichiers : ${checkSummary(check)}`,
    ...checkLines(check),
  ];
}

const READ_WITH = {
  configuration: 'Lu avec les réglages',
  proposal: 'Lu avec les réglages proposés',
} as const;
const PROBLEMS: Readonly<Record<NonNullable<SeenFile['problem']>, string>> = {
  empty: 'Fichier vide',
  'no header': 'Pas de ligne de titres : la première ligne est déjà une ligne de valeurs',
  'long row': 'La première ligne ne finit pas : ce n’est pas un fichier de lignes',
};
const NOTES: Readonly<Record<DraftNote['doubt'], (note: DraftNote) => string>> = {
  several: ({ chosen, others }) => `${chosen} ; ce pourrait aussi être ${choices(others)}`,
  'by name': ({ chosen, others }) =>
    `vide partout, ${chosen} d’après son nom${others.length === 0 ? '' : ` ; ce pourrait aussi être ${choices(others)}`}`,
  partly: ({ chosen }) => `${chosen}, qui n’explique pas toutes les valeurs`,
  date: ({ chosen, others }) =>
    `${chosen}, prise pour la date du fichier${others.length === 0 ? '' : ` ; ce pourrait aussi être ${choices(others)}`}`,
  kept: ({ chosen, others }) =>
    `« ${printable(chosen)} » reste tel quel${others.length === 0 ? ', aucun champ ne l’explique' : ` ; ce pourrait être ${choices(others)}`}`,
  varies: ({ chosen }) =>
    `aucun champ n’explique ces valeurs, qui changent ; « ${printable(chosen)} » y est resté`,
  'not everywhere': () =>
    'n’est pas dans toutes les commandes, ou toutes les lignes ; le gabarit l’écrit partout',
  'not a line': () =>
    'certains de ces éléments ne sont aucune ligne de la commande ; le gabarit ne les écrit pas',
};
/** What people are shown of one file. `--json` has all. */
const MOST_SHOWN = 50;

function choices(expressions: readonly string[]): string {
  return someOf(expressions.map((expression) => `{{ ${expression} }}`));
}

function seenLines(
  file: string,
  { encoding, byteOrderMark, delimiter, quote, decimalMark, ...seen }: SeenFile,
) {
  const mark = byteOrderMark ? ' avec marque d’ordre' : '';
  const named = delimiter === '\t' ? 'tabulation' : `« ${delimiter} »`;
  return [
    `${file} : ${list([
      `${encoding}${mark}`,
      delimiter === null ? 'une seule colonne' : `séparateur ${named}`,
      `guillemet « ${quote} »`,
      decimalMark !== null && `décimales après « ${decimalMark} »`,
      seen.lineBreak !== null && `fins de ligne ${seen.lineBreak}`,
      !seen.endsWithLineBreak && 'sans fin de ligne à la fin',
    ])}`,
    ...(encoding === 'utf-16' ? ['À réenregistrer en UTF-8 : la passerelle ne lit pas l’UTF-16'] : []),
    ...(seen.badLine === null
      ? []
      : [`Ligne ${seen.badLine} : un caractère abîmé, qui n’est pas de l’UTF-8 comme le reste`]),
    seen.header === null
      ? PROBLEMS[seen.problem ?? 'empty']
      : `Titres : ligne ${seen.header.line}, ${count(seen.header.titles.length, 'colonne', 'colonnes')}`,
  ];
}

function columnLines({
  mapped,
  absent,
  unmapped,
}: Pick<OrdersExplained, 'mapped' | 'absent' | 'unmapped'>): readonly string[] {
  const named = ({ field, title }: FieldTitle) => `${field} = ${printable(title)}`;
  return [
    ...(mapped.length === 0 ? [] : ['Colonnes lues :', ...mapped.map((one) => `  ${named(one)}`)]),
    ...(absent.length === 0
      ? []
      : [`Colonnes réglées que le fichier n’a pas : ${absent.map(named).join(', ')}`]),
    ...(unmapped.length === 0 ? [] : [`Colonnes non lues : ${unmapped.map(printable).join(', ')}`]),
  ];
}

function numberRange({ first, last }: OrdersContent): string {
  if (first === null || last === null) return '';
  return first === last ? ` (${first})` : ` (de ${first} à ${last})`;
}

function cutLines({ cut }: { readonly cut: boolean }): readonly string[] {
  return cut
    ? ['La dernière ligne du fichier de commandes n’est pas entière : le fichier est-il complet ?']
    : [];
}

function rejectLines(title: string, rejects: readonly Reject[]): readonly string[] {
  if (rejects.length === 0) return [];
  return [
    `${title} (${rejects.length}) :`,
    ...rejects
      .slice(0, MOST_SHOWN)
      .map(
        ({ line, field, reason }) =>
          `  ligne ${line}${field === '' ? '' : `, ${printable(field)}`} : ${printable(reason)}`,
      ),
    ...(rejects.length > MOST_SHOWN ? ['  …'] : []),
  ];
}

function proposalLines(proposal: Proposal | null, replaced: string): readonly string[] {
  if (proposal === null) return [];
  const { section, missing, byValues, refused, twice } = proposal;
  return [
    ...(missing.length === 0 ? [] : [`À trouver, car il en faut : ${missing.join(', ')}`]),
    ...(byValues.length === 0
      ? []
      : [`À vérifier, devinés d’après les valeurs seules : ${byValues.join(', ')}`]),
    ...refused.map(
      ({ field, title }) =>
        `${printable(title)} a le nom de ${field}, mais ses valeurs ne se lisent pas ainsi`,
    ),
    ...twice.map(
      (title) => `${printable(title)} est le titre de plusieurs colonnes : rien ne peut y être lu`,
    ),
    `Réglages proposés, à la place de ${replaced} ; gardez le reste de la section :`,
    '',
    ...section.trimEnd().split('\n'),
  ];
}

function checkSummary({ orders, differences, dates, byHand, rejects }: SalesCheck): string {
  return list([
    count(orders, 'commande', 'commandes'),
    differences.length === 0 ? 'rien ne diffère' : count(differences.length, 'différence', 'différences'),
    dates.length > 0 && `la date du fichier mise à part (${dates.map(({ path }) => path).join(', ')})`,
    byHand.length > 0 && `en bon cadeau, non envoyées : ${someOf(byHand)}`,
    rejects.length > 0 && `illisibles, non envoyées : ${rejects.length}`,
  ]);
}

function checkLines({ cut, differences }: SalesCheck): readonly string[] {
  return [
    ...cutLines({ cut }).map((line) => `  ${line}`),
    ...differences.slice(0, MOST_SHOWN).map((one) => `  ${differenceLine(one)}`),
    ...(differences.length > MOST_SHOWN
      ? [`  … (${differences.length} en tout, --json les donne tous)`]
      : []),
  ];
}

function differenceLine({ kind, path, expected, got }: Difference): string {
  const quoted = (text: string | null) => (text === null ? 'rien' : `« ${printable(text)} »`);
  switch (kind) {
    case 'missing':
      return `${path} : manque, attendu ${quoted(expected)}`;
    case 'surplus':
      return `${path} : en trop, ${quoted(got)}`;
    case 'order':
      return `${path} : attendu à la place ${expected}, trouvé à la place ${got}`;
    case 'text':
    case 'attribute':
      return `${path} : attendu ${quoted(expected)}, obtenu ${quoted(got)}`;
  }
}

/** A file's text on one line, without what a terminal would take for a command. */
function printable(text: string): string {
  return text
    .replaceAll('\r', '␍')
    .replaceAll('\n', '↵')
    .replaceAll(/\p{Cc}/gu, '�');
}
