/** What a run was to come to. */
export interface Expectations {
  /**
   * Orders placed before this sandbox time must have been taken; the first order export, or the first look at the orders, when left out. For several
   * cycles: that of the last of them.
   */
  readonly placedBefore?: string;
  /**
   * `exact`: the shop shows Proshop's figures minus what is outstanding. `never more`: it may show less (a degraded
   * cycle). `unchanged`: no stock was to be written.
   */
  readonly stock?: 'exact' | 'never more' | 'unchanged';
  /** How old, in sandbox minutes, the figures may be when the shop's import begins: 30 when left out. */
  readonly stalest?: number;
  /** Figures written before this sandbox time are stale, whatever `stalest` says: the start of the cycle that applied them. */
  readonly writtenSince?: string;
}
