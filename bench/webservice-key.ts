/** The key of the benchmark's own shop. */
export const WEBSERVICE_KEY = 'B'.repeat(32);
