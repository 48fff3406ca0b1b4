import { shareBlankLedger } from '../../chaos/blank-ledger.ts';

/** Has all test files share one blank ledger; the first that needs one makes it. */
export default shareBlankLedger;
