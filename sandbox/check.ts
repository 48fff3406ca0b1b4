/** One thing that was judged. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was counted, or what is wrong. */
  readonly detail: string;
}

/** Passes when nothing is wrong. Of what is wrong, the first five are told. */
export function check(name: string, wrong: readonly string[], right: string): Check {
  const shown = wrong.slice(0, 5).join('; ');
  const more = wrong.length > 5 ? `; and ${wrong.length - 5} more` : '';
  return { name, ok: wrong.length === 0, detail: wrong.length === 0 ? right : shown + more };
}
