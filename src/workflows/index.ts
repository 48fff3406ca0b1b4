export { cycle } from './cycle.ts';
