/** How the Webservice can fail. The request is done only where it is said. */
export type Fault =
  /** No answer, ever. */
  | 'hang'
  | 'status 500'
  | 'status 503'
  /** With `Retry-After: 1`. */
  | 'status 429'
  /** 302 to another host. */
  | 'redirect'
  /** 200 with a PHP error's text where XML or JSON should be. */
  | 'error text'
  /** The connection breaks. */
  | 'reset'
  /** The request is done; the connection breaks instead of the answer. */
  | 'answer lost'
  /** The request is done; the answer is 500 with nothing in it. */
  | 'done, status 500'
  /** Half of the rows of a writing request are written; then 500 with nothing in it. */
  | 'batch breaks'
  /** The request waits, 10 s unless it is said, before it is done and answered. */
  | 'slow'
  /** Rows of stock are written, but the totals of their products are wrong afterwards. */
  | 'product total';

/** Which requests a fault waits for. */
export interface FaultMatch {
  readonly method?: string;
  /** `stock_availables`. */
  readonly resource?: string;
  /** How many such requests it lets pass first. */
  readonly skip?: number;
}

export interface FaultDetails {
  /** How long `slow` is. */
  readonly milliseconds?: number;
}

export interface PlannedFault {
  readonly fault: Fault;
  readonly milliseconds: number;
}

/** The faults that have not met their request yet. */
export interface Faults {
  add(match: FaultMatch, fault: Fault, details?: FaultDetails): void;
  /** The fault of this request, which is used up by it; the first that fits. */
  take(method: string, resource: string): PlannedFault | undefined;
  clear(): void;
}

const SLOW = 10_000;

export function createFaults(): Faults {
  let waiting: { readonly match: FaultMatch; readonly planned: PlannedFault; skip: number }[] = [];
  return {
    add: (match, fault, details = {}) => {
      const planned = { fault, milliseconds: details.milliseconds ?? SLOW };
      waiting.push({ match, planned, skip: match.skip ?? 0 });
    },
    take: (method, resource) => {
      const fitting = waiting.filter(
        ({ match }) => (match.method ?? method) === method && (match.resource ?? resource) === resource,
      );
      const due = fitting.find(({ skip }) => skip === 0);
      // A request that meets one fault counts for the others too.
      for (const one of fitting) if (one.skip > 0) one.skip--;
      waiting = waiting.filter((one) => one !== due);
      return due?.planned;
    },
    clear: () => {
      waiting = [];
    },
  };
}
