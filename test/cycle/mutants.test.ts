import { describe, expect, it } from 'vitest';
import { MUTANTS, runAs } from '../../chaos/mutants.ts';

// The campaign's oracle is worth what it catches: the product with a precaution taken out must not pass.

describe.concurrent('the oracle of the campaign catches the product when', { timeout: 300_000 }, () => {
  it.for(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', async ([, mutant]) => {
    const { passed, output } = await runAs(mutant, true);
    // What it said comes first: it is what somebody wants to read when the mutant was not caught.
    expect(output).toMatch(mutant.caught);
    expect(passed).toBe(false);
  });
});
