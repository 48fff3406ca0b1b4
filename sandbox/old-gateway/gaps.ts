/**
 * What the old scripts are known, or thought, to get wrong, and that can be chosen. What they get wrong in any case stands
 * with each of them: test9-xml.ts, test2-csv.ts.
 */
export interface OldGaps {
  /**
   * How a script knows which orders are sent. `list`: it keeps their numbers in a file of its own, and the orders CSV stays
   * on the FTP. `mark`: it trusts the module to write each order once, and deletes the orders CSV when it is done; a module
   * that repeats its orders (`notExported: false`) then has all of them sent again every half hour.
   */
  readonly memory: 'list' | 'mark';
  /** Every sales file has one name: what Proshop did not take is overwritten, and its orders are lost. */
  readonly overwrites: boolean;
  /** It writes windows-1252, and dies of a character that this lacks: nothing of that file is sent. Else UTF-8. */
  readonly diesOfCharacters: boolean;
  /** A line without gencod is sent with an empty one, and Proshop refuses the whole file. Else its order is left out. */
  readonly blankGencod: boolean;
  /** Orders that it leaves out for no reason that anybody knows, by id_order. */
  readonly misses: (order: number) => boolean;
}

/** The old gateway at its best. */
export const NO_GAPS: OldGaps = {
  memory: 'list',
  overwrites: false,
  diesOfCharacters: false,
  blankGencod: false,
  misses: () => false,
};
