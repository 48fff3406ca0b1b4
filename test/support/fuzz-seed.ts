import * as fc from 'fast-check';

/** The seed of every property in a run: drawn anew each time, unless FUZZ_SEED (a whole number) says which. A failure prints it. */
const { FUZZ_SEED } = process.env;
if (FUZZ_SEED !== undefined && !/^\d{1,9}$/.test(FUZZ_SEED)) {
  throw new Error(`Expected FUZZ_SEED to be a whole number of at most 9 digits, got \`${FUZZ_SEED}\``);
}
if (FUZZ_SEED !== undefined) fc.configureGlobal({ seed: Number(FUZZ_SEED) });
