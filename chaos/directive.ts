/** Variable that names the file of a Directive, as JSON. */
export const DIRECTIVE_FILE = 'PASSERELLE_CHAOS';

/** Variable that names the file in which the bundled workflows are kept. */
export const BUNDLE_FILE = 'PASSERELLE_CHAOS_BUNDLE';

/** Signal upon which the process reads its directive again. */
export const OBEY = 'SIGUSR2';

/** What a process of the gateway is to suffer. */
export interface Directive {
  /** Counts begin anew with another round. */
  readonly round: number;
  /** File that gets a line, `kill after ftp rename`, for everything that struck. */
  readonly journal: string;
  /** Folder of the archive. */
  readonly archive: string;
  /** SIGKILL just before or just after the so many-th side effect from now. */
  readonly kill?: { readonly effect: number; readonly moment: 'before' | 'after' } | undefined;
  /** The disk of the archive is full from the so many-th write on, for so many writes: half of the file fits. */
  readonly fullDisk?: { readonly write: number; readonly writes: number } | undefined;
  /** Sleeps where the first transaction of PGlite after so many requests to the shop is to begin, until others have made so many. */
  readonly nap?: { readonly after: number; readonly until: number } | undefined;
  /** Milliseconds that the machine's clock is ahead of the true one, as the process sees it. */
  readonly ahead: number;
}
